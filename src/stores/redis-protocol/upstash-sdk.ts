import type { RedisCommands } from './redis-commands.ts'
import { restClient, resultOf } from './rest.ts'
import { isUpstash } from './script.ts'

/** A client of @upstash/redis or @vercel/kv, or another object with the same three methods. */
export type SdkClient = RedisCommands

/**
 * The member of such a client that sends requests. It is not in the types, but in every version.
 */
interface Sender {
  readonly baseUrl: string
  readonly retry: { readonly attempts: number }
  readonly options: object
  readonly headers?: { readonly authorization?: unknown }
  request(request: {
    readonly body: readonly unknown[]
  }): Promise<{ readonly result: unknown; readonly error?: string | undefined }>
}

/**
 * Returns the same commands through a sender that sends each command once, and stops at the
 * caller's signal. By default the client sends a command up to five more times after network
 * errors, and each may count; and @vercel/kv uses a cache mode of `fetch` that Workers reject. Does
 * not change the client. Returns `undefined` if the client has no visible sender.
 */
export function sendOnce(client: SdkClient): RedisCommands | undefined {
  const { client: sender } = client as { client?: Partial<Sender> }
  if (typeof sender?.request !== 'function' || typeof sender.options !== 'object') return undefined
  return restClient(async (body, { signal } = {}) => {
    // Versions before 1.35 accept the signal only here.
    const once: Sender = Object.create(sender, {
      retry: { value: { ...sender.retry, attempts: 0 } },
      options: { value: { ...sender.options, cache: undefined, signal } },
    })
    const { result, error } = await once.request({ body })
    return resultOf(error === undefined ? { result } : { error })
  })
}

/** Whether the client sends to a domain of Upstash; `false` if its address is not visible. */
export function sendsToUpstash({
  client: sender,
}: SdkClient & { client?: Partial<Sender> }): boolean {
  return !!sender?.baseUrl && isUpstash(sender.baseUrl)
}

/** The client's address and token, which tell where it counts; `undefined` if they are not visible. */
export function databaseOf({
  client: sender,
}: SdkClient & { client?: Partial<Sender> }): string | undefined {
  return sender?.baseUrl && `${sender.baseUrl} ${sender.headers?.authorization}`
}

/**
 * Whether a value has the three methods. Without `in`: `kv` is a Proxy that supports only reads.
 */
export function isSdkClient(value: object): value is SdkClient {
  const { eval: run, evalsha, incrby } = value as Partial<SdkClient>
  return [run, evalsha, incrby].every((method) => typeof method === 'function')
}
