import { detectPlatform, type Environment, type Platform } from '../environment.ts'
import { ConfigError, checkKeys, show } from '../errors.ts'
import { clientNetwork } from './address.ts'
import type { Client } from './client.ts'
import { checkHeaderName } from './header.ts'

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
  const { trustedHops = 0, header, platform, ipv6Prefix = 64 } = options
  if (!Number.isInteger(trustedHops) || trustedHops < 0) {
    throw new ConfigError('trustedHops', show(trustedHops), 'a whole number of proxies, 0 or more')
  }
  if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 1 || ipv6Prefix > 128) {
    throw new ConfigError('ipv6Prefix', show(ipv6Prefix), 'a whole number of bits from 1 to 128')
  }
  if (platform !== undefined && !Object.hasOwn(ADDRESS_ON, platform)) {
    throw new ConfigError('platform', show(platform), '"cloudflare", "vercel" or "server"')
  }
  if (header !== undefined) checkHeaderName('header', header)
  const declared = [trustedHops > 0 && 'trustedHops', header && 'header', platform && 'platform']
  if (declared.filter(Boolean).length > 1) {
    const names = declared.filter(Boolean).join(' and ')
    throw new ConfigError('ip', names, 'one source of the address, since only one can be right')
  }

  const address = (request: Request, env: Environment | undefined) => {
    if (header !== undefined) return request.headers.get(header)
    if (trustedHops > 0) return forwardedAddress(request.headers, trustedHops)
    return addressOf(request, env, platform)
  }
  let warned = header !== undefined || trustedHops > 0
  return (request, { env }) => {
    const text = address(request, env)
    const network = text ? clientNetwork(text, ipv6Prefix) : undefined
    if (network !== undefined) return { plain: network }
    if (!warned) console.warn(NO_ADDRESS)
    warned = true
    return undefined
  }
}

/** Behind a proxy of one's own this is how all visitors come to share one count. */
const NO_ADDRESS =
  'tidegate: ip() found no address of a client, which is an unknown client from now on. Behind ' +
  'proxies of your own declare ip({ trustedHops: 1 }) or ip({ header: "…" })'

/** The client's address as the platform tells it, in the platform's own notation. */
export function addressOf(
  request: Request,
  env?: Environment,
  platform: Platform = detectPlatform(),
): string | null | undefined {
  return ADDRESS_ON[platform](request, env)
}

type Source = (request: Request, env: Environment | undefined) => string | null | undefined

const ADDRESS_ON: Readonly<Record<Platform, Source>> = {
  cloudflare: cloudflareAddress,
  vercel: vercelAddress,
  server: socketAddress,
}

/**
 * Set by Cloudflare's edge on every request. Under "Pseudo IPv4: overwrite headers" it holds an
 * address of class E that stands for many IPv6 addresses, and the real one is in a second header.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/
 */
function cloudflareAddress({ headers }: Request): string | null {
  const address = headers.get('cf-connecting-ip')
  const pseudo = address !== null && /^2[45]\d\./.test(address)
  return (pseudo && headers.get('cf-connecting-ipv6')) || address
}

/**
 * Overwritten by Vercel's edge, the first even behind a proxy that the project trusts.
 * https://vercel.com/docs/headers/request-headers
 */
function vercelAddress({ headers }: Request): string | null {
  return headers.get('x-vercel-forwarded-for') ?? headers.get('x-real-ip')
}

/** The entry that the outermost trusted proxy wrote; nothing if the request went round it. */
function forwardedAddress(headers: Headers, trustedHops: number): string | undefined {
  return headers.get('x-forwarded-for')?.split(',').at(-trustedHops)
}

/** What servers hand to `fetch(request, env)`, and so to `app.fetch` of Hono. */
interface ServerEnv {
  /** Node, through @hono/node-server. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  /** Bun.serve. */
  readonly requestIP?: (request: Request) => { readonly address: string } | null
  /** Deno.serve. */
  readonly remoteAddr?: { readonly hostname?: string }
  /** Where the first two are when the caller of `app.fetch` wrapped them, as Hono's own helpers allow. */
  readonly server?: Omit<ServerEnv, 'server'>
}

function socketAddress(request: Request, env: ServerEnv | undefined): string | undefined {
  const server = env?.server ?? env
  return (
    server?.incoming?.socket?.remoteAddress ??
    server?.remoteAddr?.hostname ??
    server?.requestIP?.(request)?.address
  )
}
