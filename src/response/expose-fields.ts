import type { FieldWriters } from './field-writers.ts'

/**
 * Lets scripts of another origin read the fields (https://fetch.spec.whatwg.org/#cors-protocol).
 */
export function exposeFields(
  headers: Headers,
  fields: FieldWriters,
  ...more: readonly string[]
): void {
  const exposed = `${headers.get('Access-Control-Expose-Headers')}`.toLowerCase().split(/[\s,]+/)
  for (const name of [...fields.flatMap(({ names }) => names), ...more]) {
    if (exposed.includes(name.toLowerCase())) continue
    headers.append('Access-Control-Expose-Headers', name)
  }
}
