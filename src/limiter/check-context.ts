import type { Identity } from '../client/client.ts'

/** What a check may use besides the request. */
export interface CheckContext<Env extends object = object> {
  /**
   * The host's bindings or variables. The store is made from those of the first request.
   * @default the variables of the process
   */
  readonly env?: Env | undefined
  /**
   * Keeps work alive after the response: `(work) => ctx.waitUntil(work)` of the host. Leases are
   * then refilled, and batches sent, without a request waiting for it. Servers that keep running need
   * it for `batching` only.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /**
   * The client's address, where a framework provides it: `getClientAddress()`, `req.ip`. `ip()`
   * uses it in place of the address that it would read itself. `null` or `undefined`: not passed.
   * @default the address that `ip()` reads itself
   */
  readonly ip?: string | null | undefined
  /**
   * The client, in place of the `client` of every policy: a text, of which only the hash reaches
   * the store, or `{ plain }`. `null` or an empty text: an unknown client.
   * @default the `client` of each policy
   */
  readonly client?: Identity | null | undefined
  /**
   * Additional paths under which the application may route the request, such as `'/hello'` for
   * `/shop/fr/hello`. A policy applies if its `match` fits any of them, or the path in the URL.
   * Called only if a policy matches by path.
   * @default only the path in the URL
   */
  readonly paths?: (() => readonly string[]) | undefined
  /**
   * The policies that have charged the request. The limiter adds each policy that charges it, and
   * no policy in the set charges it again, so that a limiter may be used twice on a request's way.
   * Keep one set for each request, in the framework's context for instance.
   * @default each check charges, also of one `Request`
   */
  readonly once?: Set<unknown> | undefined
}
