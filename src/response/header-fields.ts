import type { Decision } from '../limiter/decision.ts'
import type { FieldWriters } from './field-writers.ts'
import { writeRefusal } from './refuse.ts'

/**
 * Returns what `mark` or `refuse` would write into a response without fields, by lower-case names.
 */
export function headerFields(decision: Decision, fields: FieldWriters): Record<string, string> {
  const { allowed, policies, policy } = decision
  const headers = new Headers()
  if (!allowed) {
    writeRefusal(headers, decision, fields)
  } else if (policy !== undefined && fields.length > 0) {
    for (const field of fields) field.write(headers, policies, policy)
    headers.set('Cache-Control', 'private')
  }
  return Object.fromEntries(headers)
}
