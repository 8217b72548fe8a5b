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
  'X-Cluster-Client-IP',
  'Fastly-Client-IP',
  'Fly-Client-IP',
  'X-Vercel-Forwarded-For',
]

/** How many addresses there are to forge. */
const ADDRESSES = 200

/**
 * A public address, since some limiters ignore others. APNIC keeps 1.0.0.0/24 and 1.1.1.0/24 for
 * research (APNIC prop-109), so no visitor has an address of them.
 */
const publicAddress = (index: number) => `1.0.0.${20 + (index % ADDRESSES)}`

/**
 * Lists as a proxy makes them: it appends the address of whoever connects to it. Which entry a
 * limiter should trust depends on the number of proxies.
 */
const LISTS: Readonly<Record<string, (address: string) => readonly string[]>> = {
  // The address of a private proxy, which some limiters skip.
  first: (address) => [address, '10.0.0.1'],
  last: (address) => ['1.1.1.20', address],
}

/** Whether a client gets a fresh quota by a forged address in a header field. */
export function checkForgedAddress(context: DrillContext): Promise<VariantFindings> {
  const start = Math.floor(Math.random() * ADDRESSES)
  const forge = (
    name: string,
    field: string,
    write: (address: string) => string | readonly string[] = (address) => address,
  ): Variant => ({
    name,
    at: (attempt) => ({
      headers: { [field.toLowerCase()]: write(publicAddress(start + attempt)) },
    }),
  })
  return tryVariants(
    {
      check: 'forged-address',
      kind: 'forged header fields',
      remedy:
        'Take the address from the connection, or from a field that your own proxy overwrites on every request. Of a list, trust only the entries that your own proxies append.',
    },
    [
      ...FIELDS.map((field) => forge(field, field)),
      ...Object.entries(LISTS).flatMap(([place, listOf]) => [
        forge(`X-Forwarded-For (${place} of two)`, 'X-Forwarded-For', (address) =>
          listOf(address).join(', '),
        ),
        // RFC 9110 §5.3 makes several lines one list, but some servers read one line alone.
        forge(`X-Forwarded-For (${place} of two lines)`, 'X-Forwarded-For', listOf),
      ]),
      forge('Forwarded', 'Forwarded', (address) => `for=${address}`),
    ],
    context,
  )
}
