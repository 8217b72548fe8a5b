import { keyOf } from '../stores/key.ts'
import { redisStore } from '../stores/redis-protocol/redis-store.ts'
import { restClient, type Send } from '../stores/redis-protocol/rest.ts'
import { TAKE } from '../stores/redis-protocol/script.ts'
import type { Demand, Grant, Observed, Store } from '../stores/store.ts'
import { failureOf } from './failure.ts'
import type { TimeBudget } from './time-budget.ts'

/** The longest window of a probe: a key that could not be deleted expires after it. */
export const PROBE_WINDOW_MS = 20_000

/**
 * With this header, a script on Upstash cannot read keys that are not in KEYS. If a proxy removes
 * the header, as `tidegate gateway` does, the script can read them.
 * https://upstash.com/docs/redis/features/key-locking
 */
const UNDECLARED = `#!lua flags=allow-key-locking\nreturn redis.call('GET', ARGV[1])`

/** A demand that the doctor sends. */
export type Probe = Pick<Demand, 'policy' | 'limit' | 'cost'> & { readonly window?: number }

/** The store under examination, with the commands that checks send to it. */
export interface ProbeTarget {
  /** Sends one take for all probes. */
  take(...probes: readonly Probe[]): Promise<readonly Grant[]>
  /** Sends one take with the hint that a limiter gives after earlier takes of the same window. */
  takeObserved(probe: Probe, observed: Observed | undefined): Promise<Grant | undefined>
  /** Sends one raw command. `undefined` if the target is a `Store`. */
  readonly command?: Send | undefined
  /** The key of a probe, for raw commands. */
  keyOf(policy: string): string
  /**
   * Whether scripts lock only their own keys. Sends a probe only if the server accepted the header.
   */
  locksKeys(): Promise<boolean>
  /** Every key that a probe may have created. */
  probeKeys(): readonly string[]
}

/** Sends everything within `timeBudget`, and records the keys that it may have created. */
export function createProbeTarget(
  source: Send | Store,
  prefix: string,
  timeBudget: TimeBudget,
  keyLocking = false,
): ProbeTarget {
  // The braces make it the hash tag of a cluster, so all keys of the probes share a slot.
  const client = `{${crypto.randomUUID()}}`
  const probeKeys = new Set<string>()
  let acceptedHeader = false

  const send: Send | undefined = typeof source === 'function' ? source : undefined
  const store: Store = typeof source === 'function' ? storeOver(source) : source
  const keyOfProbe = (policy: string) => keyOf(prefix, { policy, client })

  function storeOver(send: Send): Store {
    const commands = restClient(async (command, options) => {
      const answer = await send(command, options)
      if (command[1] === TAKE.locking.text) acceptedHeader = true
      return answer
    })
    return redisStore(commands, { name: 'store', prefix, keyLocking })
  }

  function take(probes: readonly Probe[], observed?: Observed): Promise<readonly Grant[]> {
    const demands = probes.map((probe) => ({ window: PROBE_WINDOW_MS, ...probe, client }))
    for (const { policy } of demands) probeKeys.add(keyOfProbe(policy))
    return timeBudget.run((options) => store.take(demands, { ...options, observed }))
  }

  return {
    take: (...probes) => take(probes),
    takeObserved: async (probe, observed) => (await take([probe], observed))[0],
    command: send && ((command) => timeBudget.run((options) => send(command, options))),
    keyOf(policy) {
      probeKeys.add(keyOfProbe(policy))
      return keyOfProbe(policy)
    },
    async locksKeys() {
      if (!acceptedHeader || send === undefined) return false
      const key = keyOfProbe('doctor-undeclared')
      try {
        await timeBudget.run((options) => send(['EVAL', UNDECLARED, '0', key], options))
        return false
      } catch (error) {
        const { kind } = failureOf(error)
        if (kind === 'refused' || kind === 'forbidden') return true
        throw error
      }
    },
    probeKeys: () => [...probeKeys],
  }
}
