import { assertChoice, assertCount, assertHeaderName, assertKeys, assertOption } from '../checks.ts'
import type { Platform } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import type { Client } from './client.ts'
import { byAddress, type Declared } from './network-client.ts'
import { ADDRESS_ON } from './platform-address.ts'

export { addressOf } from './platform-address.ts'

export interface IpOptions {
  /**
   * How many proxies of yours stand between the client and this code, each appending the address
   * it saw to `X-Forwarded-For`. The client is that many entries from the right; what stands left
   * of it was written by the client. For self-hosted servers; a platform needs none.
   * @default 0: the address of the connection, where the server hands it over
   */
  readonly trustedHops?: number | undefined
  /**
   * A header that holds one address, with or without a port, which a proxy of yours sets on every
   * request, replacing what came from outside: `fly-client-ip` on Fly.io,
   * `cloudfront-viewer-address` behind CloudFront. For `x-forwarded-for` use `trustedHops`.
   */
  readonly header?: string | undefined
  /**
   * The platform whose header is believed. Clients can forge that header if the code runs
   * elsewhere, or can be reached without passing the platform.
   * @default the platform of this runtime, detected at the first request
   */
  readonly platform?: Platform | undefined
  /**
   * Bits of an IPv6 address that make one client, 1 to 128.
   * @default 64, the least that a provider hands to one customer (RFC 6177)
   */
  readonly ipv6Prefix?: number | undefined
}

/**
 * Counts by IP address, as the platform tells it in a way that no client can forge:
 * `CF-Connecting-IP` on Cloudflare, `X-Vercel-Forwarded-For` on Vercel, the connection's address on
 * Node, Bun and Deno. A header of another platform is never believed, and where the platform's own
 * is missing the client is unknown. A variable such as `VERCEL` has no effect on this. Logs one
 * warning when visitors share a limit because their addresses are not visible.
 */
export function ip(options: IpOptions = {}): Client {
  assertKeys('ip', options, ['trustedHops', 'header', 'platform', 'ipv6Prefix'])
  const { trustedHops = 0, header, platform, ipv6Prefix } = options
  assertCount('trustedHops', trustedHops, 0)
  if (ipv6Prefix !== undefined) assertCount('ipv6Prefix', ipv6Prefix, 1, 128)
  if (platform !== undefined) assertChoice('platform', platform, Object.keys(ADDRESS_ON))
  if (header !== undefined) assertHeaderName('header', header)
  const sources = [trustedHops && 'trustedHops', header && 'header', platform && 'platform']
  const given = sources.filter(Boolean)
  if (given.length > 1) {
    throw new ConfigError('ip', given.join(' and '), 'one of them, since only one can be right')
  }

  let declared: Declared | undefined
  if (header !== undefined) declared = inHeader(header)
  if (trustedHops > 0) declared = behindHops(trustedHops)
  return byAddress(ipv6Prefix, platform, declared)
}

/** Headers to which every proxy adds an entry, and in which the client may write the first. */
const LISTS = /forwarded[-_]for|^(?:x[-_])?forwarded$|^via$/i

function inHeader(name: string): Declared {
  const want = 'a header that holds one address; for X-Forwarded-For set trustedHops instead'
  assertOption(!LISTS.test(name), 'header', name, want)
  // CloudFront always appends a port, and writes IPv6 addresses without brackets.
  const port = /^cloudfront-viewer-address$/i.test(name) ? /:\d{1,5}$/ : ''
  return {
    source: ({ headers }) => headers.get(name)?.replace(port, ''),
    place: `in the header ${name}`,
    advice: 'Name a header that your proxy sets on every request, to one address',
  }
}

function behindHops(hops: number): Declared {
  return {
    source: ({ headers }) => fromRight(headers.get('x-forwarded-for') ?? '', hops),
    place: `at entry ${hops} from the right of X-Forwarded-For`,
    advice: 'Set trustedHops to the number of proxies that append to that header',
  }
}

/** Returns an entry of a list by its number from the right. Does not read what is left of it. */
function fromRight(list: string, entry: number): string | undefined {
  let end = list.length
  for (let passed = 1; passed < entry; passed++) {
    end = end > 0 ? list.lastIndexOf(',', end - 1) : -1
    if (end < 0) return undefined
  }
  return list.slice(end > 0 ? list.lastIndexOf(',', end - 1) + 1 : 0, end)
}
