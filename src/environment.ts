/** Variables of the host: a Worker's bindings, or text variables elsewhere. */
export type Environment = Readonly<Record<string, unknown>>

/** An environment by the names of its variables, whatever type the host declares for it. */
export const variablesOf = (env: object): Environment => env as Environment

/** The process's variables, on hosts that hand none over as a value (Next.js, Vercel, Node). */
export const processEnv = (): Environment =>
  (globalThis as { process?: { env?: Environment } }).process?.env ?? {}

/** A variable as it stands; nothing if Deno was given no permission to read it. */
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
  const { WebSocketPair, [VERCEL_REQUEST]: request } = globalThis as Marks
  if (isNative(WebSocketPair)) return 'cloudflare'
  return request?.get?.()?.headers ? 'vercel' : 'server'
}

/**
 * Set by Vercel's runtimes, on Node and on Edge; Next.js and @vercel/functions never set it.
 * OpenNext's emulation (EMULATE_VERCEL_REQUEST_CONTEXT) has no `headers`.
 */
const VERCEL_REQUEST = /* @__PURE__ */ Symbol.for('@vercel/request-context')

interface Marks {
  /** Native in workerd at every compatibility date; Vercel's Edge hides it (vercel/next.js#30739). */
  readonly WebSocketPair?: unknown
  readonly [VERCEL_REQUEST]?: { get?(): { readonly headers?: unknown } | undefined }
}

/** The source text of workerd's own class. V8 leaves out the name of what is bound or a Proxy. */
const NATIVE = 'function WebSocketPair() { [native code] }'

/**
 * Whether the runtime itself brings a class. Bun's text of a bound function has the name too, but
 * such a function is no prototype's constructor.
 */
const isNative = (value: unknown) =>
  typeof value === 'function' &&
  Function.prototype.toString.call(value) === NATIVE &&
  value.prototype?.constructor === value
