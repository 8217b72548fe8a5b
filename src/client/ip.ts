import type { Platform } from '../environment.ts'
import { ConfigError, checkChoice, checkKeys } from '../errors.ts'
import { checkCount } from '../policy/duration.ts'
import { byAddress } from './by-address.ts'
import type { Client } from './client.ts'
import { checkHeaderName } from './header.ts'
import { ADDRESS_ON, type Source } from './source.ts'

export { addressOf } from './source.ts'

export interface IpOptions {
  /**
   * How many proxies of yours stand between the client and this code, each appending the address
   * it saw to `X-Forwarded-For`. The client is that many entries from the right; what stands left
   * of it was written by the client. For self-hosted servers; a platform needs none.
   * @default 0: the address of the connection, where the server hands it over
   */
  readonly trustedHops?: number | undefined
  /**
   * A header that holds one address, which a proxy of yours sets on every request, replacing what
   * came from outside: `fly-client-ip` on Fly.io, `x-nf-client-connection-ip` on Netlify.
   */
  readonly header?: string | undefined
  /**
   * The platform whose header is believed.
   * @default the one this code runs on, found out at the first request
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
 * Node, Bun and Deno. A header of another platform is never believed, and where the platform's
 * own is missing the client is unknown.
 */
export function ip(options: IpOptions = {}): Client {
  checkKeys('ip', options, ['trustedHops', 'header', 'platform', 'ipv6Prefix'])
  const { trustedHops = 0, header, platform, ipv6Prefix } = options
  checkCount('trustedHops', trustedHops, 0)
  if (ipv6Prefix !== undefined) checkCount('ipv6Prefix', ipv6Prefix, 1, 128)
  if (platform !== undefined) checkChoice('platform', platform, Object.keys(ADDRESS_ON))
  if (header !== undefined) checkHeaderName('header', header)
  const sources = [trustedHops && 'trustedHops', header && 'header', platform && 'platform']
  const declared = sources.filter(Boolean)
  if (declared.length > 1) {
    throw new ConfigError('ip', declared.join(' and '), 'one of them, since only one can be right')
  }

  let source: Source | undefined
  if (header !== undefined) source = ({ headers }) => headers.get(header)
  // The entry that the outermost trusted proxy wrote; nothing if the request went round it.
  if (trustedHops > 0) {
    source = ({ headers }) => headers.get('x-forwarded-for')?.split(',').at(-trustedHops)
  }
  return byAddress(ipv6Prefix, platform, source)
}
