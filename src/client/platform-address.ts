import { detectPlatform, type Environment, type Platform } from '../environment.ts'

/** Returns the client's address of a request, in any notation. */
export type AddressSource = (
  request: Request,
  env: Environment | undefined,
) => string | null | undefined

/** Returns the client's address from the platform that this code runs on. */
export function platformAddress(request: Request, env?: Environment): string | null | undefined {
  return PLATFORM_ADDRESS[detectPlatform()](request, env)
}

/** How to read the client's address on each platform, so that no client can forge it. */
export const PLATFORM_ADDRESS: Readonly<Record<Platform, AddressSource>> = {
  /**
   * Set by Cloudflare's edge on every request. With "Pseudo IPv4: overwrite headers" it contains an
   * address of class E that many IPv6 addresses share, and a second header contains the real one.
   * https://developers.cloudflare.com/fundamentals/reference/http-headers/
   */
  cloudflare({ headers }) {
    const address = headers.get('cf-connecting-ip') ?? ''
    return (/^2[45]\d\./.test(address) && headers.get('cf-connecting-ipv6')) || address
  },

  /**
   * Overwritten by Vercel's edge on every request. `X-Real-IP` follows `X-Forwarded-For`, which a
   * proxy in front of Vercel may write. https://vercel.com/docs/headers/request-headers
   */
  vercel: ({ headers }) => headers.get('x-vercel-forwarded-for'),

  server(request, env: ServerEnv | undefined) {
    const server = env?.server ?? env
    return (
      server?.incoming?.socket?.remoteAddress ??
      server?.remoteAddr?.hostname ??
      server?.requestIP?.(request)?.address
    )
  },
}

/** What servers pass to `fetch(request, env)`, and so to `app.fetch` of Hono. */
interface ServerEnv {
  /** Node, through @hono/node-server. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  /** Bun.serve. */
  readonly requestIP?: (request: Request) => { readonly address: string } | null
  /** Deno.serve. */
  readonly remoteAddr?: { readonly hostname?: string }
  /**
   * Node's or Bun's values if the caller of `app.fetch` wrapped them, which Hono's helpers support.
   */
  readonly server?: Omit<ServerEnv, 'server'>
}
