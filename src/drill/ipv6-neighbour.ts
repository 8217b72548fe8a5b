import { isIPv6 } from 'node:net'
import { parseNetwork } from '../client/network.ts'
import type { DrillContext, VariantFindings } from './context.ts'
import { notTried, tryVariants } from './variant-findings.ts'

const check = 'ipv6-neighbour'

/**
 * Whether another IPv6 address of the same /64 gets a fresh quota. One customer has at least a /64
 * (RFC 6177), so one client could take as many quotas as it likes.
 *
 * @param addresses those of the host
 * @param ownAddresses those of this machine
 */
export async function checkIpv6Neighbour(
  context: DrillContext,
  addresses: readonly string[],
  ownAddresses: readonly string[],
): Promise<VariantFindings> {
  if (!addresses.some((address) => isIPv6(address))) {
    return notTried(check, 'the host has no IPv6 address')
  }
  const used = context.burst.answers.at(-1)?.localAddress
  if (used === undefined || !isIPv6(used)) return notTried(check, 'the requests went over IPv4')
  const neighbours = ownAddresses.filter(
    (own) => isIPv6(own) && own !== used && networkOf(own) === networkOf(used),
  )
  if (neighbours.length === 0) {
    return notTried(check, 'this machine has no second IPv6 address in the /64 that it sends from')
  }
  const variant = {
    name: 'an address of the same /64',
    at: (attempt: number) => {
      const neighbour = neighbours[attempt % neighbours.length]
      return neighbour === undefined ? {} : { localAddress: neighbour }
    },
  }
  const found = await tryVariants(
    {
      check,
      kind: 'addresses',
      remedy: 'Count IPv6 clients by /64, as `ip()` of Tidegate does.',
    },
    [variant],
    context,
  )
  const [tried] = found.variants
  return tried?.outcome === 'elsewhere' && tried.status === 0
    ? notTried(check, 'no request could be sent from a second address of the /64')
    : found
}

const networkOf = (address: string) => parseNetwork(address, 64)
