import type { DrillContext, VariantFindings } from './context.ts'
import type { Variant } from './try-variant.ts'
import { tryVariants } from './variant-findings.ts'

/** Fields in which proxies and platforms pass the client's address. */
const FIELDS = [
  'X-Forwarded-For',
  'X-Real-IP',
  'CF-Connecting-IP',
  'True-Client-IP',
  'X-Client-IP',
  'Fly-Client-IP',
  'X-Vercel-Forwarded-For',
]

/** Whether a client gets a fresh quota by a forged address in a header field. */
export function checkForgedAddress(context: DrillContext): Promise<VariantFindings> {
  const first = Math.floor(Math.random() * 250)
  // Addresses for documentation (RFC 5737 §3), which no client has.
  const address = (attempt: number) => `203.0.113.${1 + ((first + attempt) % 250)}`
  const variants: Variant[] = [
    ...FIELDS.map((name) => ({
      name,
      at: (attempt: number) => ({ headers: { [name.toLowerCase()]: address(attempt) } }),
    })),
    {
      name: 'Forwarded',
      at: (attempt) => ({ headers: { forwarded: `for=${address(attempt)}` } }),
    },
  ]
  return tryVariants(
    {
      check: 'forged-address',
      kind: 'forged header fields',
      remedy:
        'Take the address from the connection, or from a field that your own proxy overwrites on every request.',
    },
    variants,
    context,
  )
}
