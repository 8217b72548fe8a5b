import { assertChoice, assertCount, assertHeaderName, assertKeys, assertOption } from '../checks.ts'
import type { Platform } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import type { Client } from './client.ts'
import { type ConfiguredSource, networkClient } from './network-client.ts'
import { PLATFORM_ADDRESS } from './platform-address.ts'

export interface IpOptions {
  /**
   * How many of your proxies stand between the client and this code. Each appends the address it
   * saw to `X-Forwarded-For`, so the client's address is that many entries from the right. The
   * client may have written the entries to the left of it. For self-hosted servers, not for
   * platforms.
   * @default 0: the address of the connection, where the server hands it over
   */
  readonly trustedHops?: number | undefined
  /**
   * A header that contains one address, with or without a port, and that your proxy sets on every
   * request in place of the client's value: `fly-client-ip` on Fly.io,
   * `cloudfront-viewer-address` behind CloudFront. For `x-forwarded-for` use `trustedHops`.
   */
  readonly header?: string | undefined
  /**
   * The platform whose header is trusted. Clients can forge that header if the code runs
   * elsewhere, or can be reached without passing the platform.
   * @default the platform of this runtime, detected at the first request
   */
  readonly platform?: Platform | undefined
  /**
   * How many bits of an IPv6 address identify one client, 1 to 128.
   * @default 64: a provider assigns at least a /64 to each customer (RFC 6177)
   */
  readonly ipv6Prefix?: number | undefined
}

/**
 * Counts by IP address. Reads the address where no client can forge it: from `CF-Connecting-IP` on
 * Cloudflare, from `X-Vercel-Forwarded-For` on Vercel, and from the connection on Node, Bun and
 * Deno. Ignores headers of other platforms, and variables such as `VERCEL`. Without the platform's
 * own header the client is unknown. An address passed to `check` or `handle` as `ip` comes before
 * all of these.
 *
 * Logs one warning when clients share a limit because their addresses are not visible.
 *
 * @example
 * // A server behind one reverse proxy that appends to X-Forwarded-For
 * rateLimit({ limit: 100, window: '1m', store, client: ip({ trustedHops: 1 }) })
 */
export function ip(options: IpOptions = {}): Client {
  assertKeys('ip', options, ['trustedHops', 'header', 'platform', 'ipv6Prefix'])
  const { trustedHops = 0, header, platform, ipv6Prefix } = options
  assertCount('trustedHops', trustedHops, 0)
  if (ipv6Prefix !== undefined) assertCount('ipv6Prefix', ipv6Prefix, 1, 128)
  if (platform !== undefined) assertChoice('platform', platform, Object.keys(PLATFORM_ADDRESS))
  if (header !== undefined) assertHeaderName('header', header)
  const given = [trustedHops && 'trustedHops', header && 'header', platform && 'platform'].filter(
    Boolean,
  )
  if (given.length > 1) {
    throw new ConfigError('ip', 'only one source of the address', given.join(' and '))
  }

  let configured: ConfiguredSource | undefined
  if (header !== undefined) configured = headerSource(header)
  if (trustedHops > 0) configured = hopSource(trustedHops)
  return networkClient(ipv6Prefix, platform, configured)
}

/** Headers to which every proxy adds an entry. The client may write the first entry. */
const LIST_FIELD = /forwarded[-_]for|^(?:x[-_])?forwarded$|^via$/i

function headerSource(name: string): ConfiguredSource {
  const hint = ' (a list: set trustedHops instead)'
  assertOption(!LIST_FIELD.test(name), 'header', name, 'a header that holds one address', hint)
  // CloudFront always appends a port, and writes IPv6 addresses without brackets.
  const port = /^cloudfront-viewer-address$/i.test(name) ? /:\d{1,5}$/ : ''
  return {
    source: ({ headers }) => headers.get(name)?.replace(port, ''),
    place: `in the header ${name}`,
    advice: 'Name a header that your proxy sets on every request, to one address',
  }
}

function hopSource(hops: number): ConfiguredSource {
  return {
    source: ({ headers }) => fromRight(headers.get('x-forwarded-for') ?? '', hops),
    place: `at entry ${hops} from the right of X-Forwarded-For`,
    advice: 'Set trustedHops to the number of proxies that append to that header',
  }
}

/** Returns an entry of a list by its number from the right. Does not read entries to its left. */
function fromRight(list: string, entry: number): string | undefined {
  let end = list.length
  for (let passed = 1; passed < entry; passed++) {
    end = end > 0 ? list.lastIndexOf(',', end - 1) : -1
    if (end < 0) return undefined
  }
  return list.slice(end > 0 ? list.lastIndexOf(',', end - 1) + 1 : 0, end)
}
