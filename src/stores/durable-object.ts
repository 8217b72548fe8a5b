import { assertChoice, assertKeys, assertOption, isCount } from '../checks.ts'
import { StoreError, type StoreErrorCode } from '../errors.ts'
import { fnv1a } from '../fnv1a.ts'
import { guard } from '../isolate/guard.ts'
import { redactedMessage } from '../redact.ts'
import type { CountedKey, Grant, Store } from './store.ts'

/**
 * https://developers.cloudflare.com/durable-objects/reference/data-location/#supported-locations-1
 */
const LOCATIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const

export type LocationHint = (typeof LOCATIONS)[number]

/** The part of a Durable Object's binding that is used. */
export interface ObjectNamespace {
  idFromName(name: string): object
  get(id: object, options?: { readonly locationHint?: LocationHint }): object
}

export interface DurableObjectOptions {
  /**
   * How many objects share all clients, by a hash of the client. Fewer objects mean fewer wake-ups
   * and sweeps. An object handles about 1,000 checks a second. Changing the number resets all
   * counts.
   * @default one object for each client
   */
  readonly shards?: number | undefined
  /**
   * Where to create new objects.
   * @default near the client's first request
   */
  readonly locationHint?: LocationHint | undefined
}

/** A reference to one object. Its answers come over the network, so they are checked. */
interface Stub extends Partial<Record<Method, (items: unknown) => Promise<unknown>>> {
  fetch(url: string, init: RequestInit): Promise<Response>
}

/** Missing on Workers with a compatibility date before 2024-04-03 and without the flag `rpc`. */
type Method = 'take' | 'settle' | 'reset'

/**
 * Counts in Durable Objects of the class `TidegateObject`: exact across regions, one call per check
 * for all policies together. All policies of a limiter must count the same client, since each
 * client has its own object. Otherwise `createLimiter` throws a `ConfigError`.
 *
 * Does not repeat calls: the runtime repeats a lost call, and never runs a call twice
 * (https://developers.cloudflare.com/durable-objects/best-practices/automatic-retries/). A signal
 * cannot reach the object, so a check that timed out is still counted.
 *
 * @param namespace the binding: `env.TIDEGATE`, or `env.TIDEGATE.jurisdiction('eu')`
 *
 * @example
 * import { durableObject } from 'tidegate/durable-object'
 * export { TidegateObject } from 'tidegate/durable-object'
 *
 * app.use(rateLimit({ limit: 100, window: '1m', store: (env: Env) => durableObject(env.TIDEGATE)
 * }))
 */
export function durableObject(
  namespace: ObjectNamespace,
  options: DurableObjectOptions = {},
): Store {
  assertOption(isObjectNamespace(namespace), 'namespace', namespace, EXPECTED, HINT)
  assertKeys('durableObject', options, ['shards', 'locationHint'])
  const { shards, locationHint } = options
  const isNumber = shards === undefined || isCount(shards, 1, Number.MAX_SAFE_INTEGER)
  assertOption(isNumber, 'shards', shards, 'a whole number, 1 or more')
  if (locationHint !== undefined) assertChoice('locationHint', locationHint, LOCATIONS)

  const location = locationHint && { locationHint }
  const backendOf = (client: string) =>
    shards === undefined ? client : `shard-${fnv1a(client) % shards}`

  /** Calls the object of the one client that the items name. */
  async function call<Answer>(
    method: Method,
    items: readonly CountedKey[],
    isAnswer: (answer: unknown) => answer is Answer,
  ): Promise<Answer> {
    const client = items[0]?.client ?? ''
    if (items.some((item) => item.client !== client)) {
      throw new StoreError('rejected', 'durable-object: one call cannot count different clients')
    }
    let answer: unknown
    try {
      // A new stub for each call: after a failure, a stub rejects all later calls.
      const stub = namespace.get(namespace.idFromName(backendOf(client)), location) as Stub
      answer = await (stub[method]?.(items) ?? callByFetch(stub, method, items))
    } catch (error) {
      throw storeError(error, client)
    }
    if (isAnswer(answer)) return answer
    throw new StoreError(
      'rejected',
      'durable-object: the object did not answer like a TidegateObject',
    )
  }

  return {
    guard,
    oneClient: true,
    label: 'Durable Objects',
    backendOf,
    // A different number of objects counts elsewhere.
    identity: shards === undefined ? namespace : undefined,
    async take(demands) {
      return demands.length === 0 ? [] : call('take', demands, isGrants(demands.length))
    },
    settle: (settlements) => call('settle', settlements, isList(settlements.length)),
    async reset(keys) {
      await call('reset', keys, (answer): answer is unknown => answer == null)
    },
  }
}

/** Sends a call as a request, to objects that cannot be called directly. */
async function callByFetch(stub: Stub, method: Method, items: unknown): Promise<unknown> {
  const init = { method: 'POST', body: JSON.stringify(items) }
  return (await stub.fetch(`https://tidegate.invalid/${method}`, init)).json()
}

/** Whether `value` is the binding of a Durable Object. */
export function isObjectNamespace(value: unknown): value is ObjectNamespace {
  const namespace = value as Partial<ObjectNamespace> | null | undefined
  return typeof namespace?.idFromName === 'function' && typeof namespace.get === 'function'
}

const EXPECTED = 'the binding of a Durable Object, such as env.TIDEGATE'
const HINT =
  '; declare it in wrangler.toml: ' +
  '[[durable_objects.bindings]] with name = "TIDEGATE" and class_name = "TidegateObject", and ' +
  '[[migrations]] with tag = "v1" and new_sqlite_classes = ["TidegateObject"]'

const isGrants =
  (length: number) =>
  (answer: unknown): answer is readonly Grant[] =>
    isList(length)(answer) &&
    answer.every((grant: Partial<Grant> | null) => typeof grant?.granted === 'number')

const isList =
  (length: number) =>
  (answer: unknown): answer is readonly never[] =>
    Array.isArray(answer) && answer.length === length

/**
 * Converts the error of a call. Drops its properties: the object id in them identifies the client.
 */
function storeError(error: unknown, client: string): StoreError {
  const said = redactedMessage(error, [client])
  const [code, hint, scope] = classify(error)
  const cause = new Error(said)
  return new StoreError(code, `durable-object: ${said}${hint}`, { cause, scope })
}

/** https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
function classify(error: unknown): readonly [StoreErrorCode, string, 'key' | 'store'] {
  const told = Object(error) as { overloaded?: unknown; retryable?: unknown; remote?: unknown }
  if (told.overloaded) {
    return ['rejected', ' (overloaded: one object cannot handle so many checks)', 'key']
  }
  if (told.retryable) return ['unreachable', ' (temporary: the next check may succeed)', 'store']
  return [told.remote ? 'rejected' : 'unreachable', '', 'store']
}
