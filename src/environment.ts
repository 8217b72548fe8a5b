/** Variables of the host: a Worker's bindings, or text variables elsewhere. */
export type Environment = Readonly<Record<string, unknown>>

/** An environment as variables by name, for any type that a host declares. */
export const variablesOf = (env: object): Environment => env as Environment

/** The process's variables, for hosts that pass no environment (Next.js, Vercel, Node). */
export const processEnv = (): Environment =>
  (globalThis as { process?: { env?: Environment } }).process?.env ?? {}

/** A variable, also an empty one; `undefined` if Deno has no permission to read it. */
export function rawVariable(env: Environment, name: string): unknown {
  try {
    return env[name]
  } catch {
    return undefined
  }
}

/**
 * A variable, or `undefined` if it is not set. An empty string counts as not set: Docker Compose
 * and many CIs pass it for unset variables. So does a variable that Deno has no permission to read.
 */
export function variable(env: Environment, name: string): unknown {
  const value = rawVariable(env, name)
  return value === '' ? undefined : value
}

/** The names of the variables, or `undefined` if Deno has no permission to list them. */
export function variableNames(env: Environment): readonly string[] | undefined {
  try {
    return Object.keys(env)
  } catch {
    return undefined
  }
}

/** Where this code runs, as far as the client's address depends on it. */
export type Platform = 'cloudflare' | 'vercel' | 'server'

/**
 * Detects the platform by objects that only its runtime provides. Variables prove nothing: `vercel
 * env pull` writes `VERCEL="1"` into a file that a server of your own may load. Neither does
 * `navigator.userAgent`, which libraries set on Node and old Workers lack. Vercel is recognised
 * only while a request is handled, so call this while handling one.
 */
export function detectPlatform(): Platform {
  const { WebSocketPair, [VERCEL_REQUEST]: request } = globalThis as HostMarks
  if (WebSocketPair !== undefined && isNative(WebSocketPair)) return 'cloudflare'
  return request?.get?.()?.headers ? 'vercel' : 'server'
}

/**
 * Set by Vercel's runtimes, on Node and on Edge; Next.js and @vercel/functions never set it.
 * OpenNext's emulation (EMULATE_VERCEL_REQUEST_CONTEXT) has no `headers`.
 */
const VERCEL_REQUEST = /* @__PURE__ */ Symbol.for('@vercel/request-context')

interface HostMarks {
  /**
   * Native in workerd at every compatibility date; Vercel's Edge hides it (vercel/next.js#30739).
   */
  readonly WebSocketPair?: unknown
  readonly [VERCEL_REQUEST]?: { get?(): { readonly headers?: unknown } | undefined }
}

/** The source text of workerd's class. In V8 a bound function or a Proxy has no name there. */
const NATIVE_SOURCE = 'function WebSocketPair() { [native code] }'

/**
 * Whether a class is part of the runtime. In Bun the text of a bound function has the name too, but
 * a bound function is not the constructor of a prototype.
 */
const isNative = (value: unknown) =>
  typeof value === 'function' &&
  Function.prototype.toString.call(value) === NATIVE_SOURCE &&
  value.prototype?.constructor === value
