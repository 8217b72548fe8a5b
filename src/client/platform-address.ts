import { detectPlatform, type Environment, type Platform } from '../environment.ts'

/** Where the address of a request stands, in whatever notation. */
export type Source = (request: Request, env: Environment | undefined) => string | null | undefined

/** The client's address as the platform tells it, in the platform's own notation. */
export function addressOf(request: Request, env?: Environment): string | null | undefined {
  return ADDRESS_ON[detectPlatform()](request, env)
}

/** What each platform tells, in a way that no client can forge. */
export const ADDRESS_ON: Readonly<Record<Platform, Source>> = {
  /**
   * Set by Cloudflare's edge on every request. Under "Pseudo IPv4: overwrite headers" it holds an
   * address of class E that stands for many IPv6 addresses, and the real one is in a second header.
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
