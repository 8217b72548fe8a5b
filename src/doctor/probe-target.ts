import { keyOf } from '../stores/key.ts'
import { redisStore } from '../stores/redis-protocol/redis-store.ts'
import { restClient, type Send } from '../stores/redis-protocol/rest.ts'
import { KEY_LOCKING } from '../stores/redis-protocol/script.ts'
import type { Demand, Grant, Store } from '../stores/store.ts'
import { troubleOf } from './failure.ts'
import type { Patience } from './time-budget.ts'

/** How long a probe's window is at most, in ms: what could not be deleted ends by itself then. */
export const PROBE_WINDOW = 20_000

/**
 * With this header, a script on Upstash cannot read keys that are not in KEYS. If a proxy removes
 * the header, as `tidegate gateway` does, the script can read them.
 * https://upstash.com/docs/redis/features/key-locking
 */
const UNDECLARED = `#!lua flags=allow-key-locking\nreturn redis.call('GET', ARGV[1])`

/** A demand of the doctor's own: whose, how many. */
export type Probe = Pick<Demand, 'policy' | 'limit' | 'cost'> & { readonly window?: number }

/** What is examined, and how to ask it. */
export interface Patient {
  /** One take, of probes alone. */
  take(...probes: readonly Probe[]): Promise<readonly Grant[]>
  /** One raw command; nothing where only a store was given. */
  readonly command?: Send | undefined
  /** The key of a probe; for raw commands. */
  keyOf(policy: string): string
  /**
   * Whether scripts lock only their own keys. Sends a probe only if the server accepted the header.
   */
  locksKeys(): Promise<boolean>
  /** Every key that may exist now because of this examination. */
  traces(): readonly string[]
}

/** All that is sent goes through `patience`, and notes which keys it may have made. */
export function patientOf(
  source: Send | Store,
  prefix: string,
  patience: Patience,
  keyLocking = false,
): Patient {
  // In braces, the hash tag of a cluster: all keys of an examination share a slot.
  const client = `{${crypto.randomUUID()}}`
  const traces = new Set<string>()
  let tookHeader = false

  const send: Send | undefined = typeof source === 'function' ? source : undefined
  const store: Store = typeof source === 'function' ? storeOver(source) : source
  const keyOfProbe = (policy: string) => keyOf(prefix, { policy, client })

  function storeOver(raw: Send): Store {
    const client = restClient(async (command, options) => {
      const answer = await raw(command, options)
      if (command[1] === KEY_LOCKING.text) tookHeader = true
      return answer
    })
    return redisStore(client, { name: 'store', prefix, keyLocking })
  }

  return {
    take(...probes) {
      const demands = probes.map((probe) => ({ window: PROBE_WINDOW, ...probe, client }))
      for (const { policy } of demands) traces.add(keyOfProbe(policy))
      return patience.ask((options) => store.take(demands, options))
    },
    command: send && ((command) => patience.ask((options) => send(command, options))),
    keyOf(policy) {
      traces.add(keyOfProbe(policy))
      return keyOfProbe(policy)
    },
    async locksKeys() {
      if (!tookHeader || send === undefined) return false
      const key = keyOfProbe('doctor-undeclared')
      try {
        await patience.ask((options) => send(['EVAL', UNDECLARED, '0', key], options))
        return false
      } catch (error) {
        const { kind } = troubleOf(error)
        if (kind === 'refused' || kind === 'forbidden') return true
        throw error
      }
    },
    traces: () => [...traces],
  }
}
