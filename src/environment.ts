/** Variables of the host: a Worker's bindings, or text variables elsewhere. */
export type Environment = Readonly<Record<string, unknown>>

/** An environment by the names of its variables, whatever type the host declares for it. */
export const variablesOf = (env: object): Environment => env as Environment

/** The process's variables as they were last seen to be readable, since looking takes its time. */
let readable: Environment | undefined

/** The process's variables, on hosts that hand none over as a value (Next.js, Vercel, Node). */
export function processEnv(): Environment {
  const env = (globalThis as { process?: { env?: Environment } }).process?.env ?? {}
  if (env === readable) return env
  try {
    Object.keys(env)
    readable = env
    return env
  } catch {
    // Deno throws at every look where it was not given leave: as good as none.
    return {}
  }
}

/** Where this code runs, as far as the client's address depends on it. */
export type Platform = 'cloudflare' | 'vercel' | 'server'

/**
 * Told by what the platform itself puts in place and no request can: the runtime's name on Workers
 * (https://developers.cloudflare.com/workers/runtime-apis/web-standards/#navigatoruseragent), the
 * system variable or the request context on Vercel
 * (https://vercel.com/docs/environment-variables/system-environment-variables). A self-hosted
 * `next start` has an edge runtime too, so that `EdgeRuntime` exists says nothing.
 */
export function detectPlatform(): Platform {
  if (globalThis.navigator?.userAgent === 'Cloudflare-Workers') return 'cloudflare'
  if (processEnv().VERCEL || Symbol.for('@vercel/request-context') in globalThis) return 'vercel'
  return 'server'
}
