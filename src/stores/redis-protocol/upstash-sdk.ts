import type { TakeOptions } from '../store.ts'
import type { RedisCommands } from './redis-commands.ts'
import { resultOf } from './rest.ts'
import { isUpstash } from './script.ts'

/** A client of @upstash/redis or @vercel/kv, or whatever has these three methods of it. */
export type SdkClient = RedisCommands

/** What such a client sends with: not declared by its package, and there since its first version. */
interface Sender {
  readonly baseUrl: string
  readonly retry: { readonly attempts: number }
  readonly options: object
  request(request: {
    readonly body: readonly unknown[]
  }): Promise<{ readonly result: unknown; readonly error?: string | undefined }>
}

/**
 * The client with a sender that sends each command once, and stops at the caller's signal. As it
 * is it would repeat a command five times after network errors, and each that arrived counts; and
 * @vercel/kv would ask `fetch` for a cache mode that Workers reject. The client itself is not
 * changed. Nothing if it does not show its sender.
 */
export function sendOnce(client: SdkClient): RedisCommands | undefined {
  const { client: sender } = client as { client?: Partial<Sender> }
  if (typeof sender?.request !== 'function' || typeof sender.options !== 'object') return undefined
  const send = async (body: readonly unknown[], { signal }: TakeOptions = {}) => {
    // Versions before 1.35 accept the signal only here.
    const once: Sender = Object.create(sender, {
      retry: { value: { ...sender.retry, attempts: 0 } },
      options: { value: { ...sender.options, cache: undefined, signal } },
    })
    const { result, error } = await once.request({ body })
    return resultOf(error === undefined ? { result } : { error })
  }
  return {
    evalsha: (sha, keys, args, options) =>
      send(['evalsha', sha, keys.length, ...keys, ...args], options),
    eval: (script, keys, args, options) =>
      send(['eval', script, keys.length, ...keys, ...args], options),
    incrby: (key, units, options) => send(['incrby', key, units], options),
  }
}

/** Whether the client has an address of Upstash's own; `false` if it does not show its address. */
export function asksUpstash({ client: sender }: SdkClient & { client?: Partial<Sender> }): boolean {
  return !!sender?.baseUrl && isUpstash(sender.baseUrl)
}

/** Whether a value has the three methods. `in` would not do: `kv` is a Proxy that only answers gets. */
export function isSdkClient(value: object): value is SdkClient {
  const { eval: run, evalsha, incrby } = value as Partial<SdkClient>
  return [run, evalsha, incrby].every((method) => typeof method === 'function')
}
