import { guard, memory, type Store, StoreError } from '../../src/index.ts'
import type { GuardOptions } from '../../src/stores/guard-options.ts'
import type { Demand, Grant, TakeOptions } from '../../src/stores/store.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'

/** What a call does: it is answered, hangs, fails, or is answered after a while. */
export type Outcome = 'up' | 'hang' | Error | Promise<void>

/** A store over memory whose calls do what a test says, by their demands. In virtual time. */
export function scriptedStore(more: Partial<Store> = {}) {
  const clock = manualClock()
  const near = memory({ clock, maxKeys: 1_000_000 })
  const calls: (readonly Demand[])[] = []
  /** Of each call: whether a plain count may answer it. */
  const hinted: boolean[] = []
  const state = { outcome: (_: readonly Demand[]): Outcome => 'up' }
  const store: Store = {
    guard,
    ...more,
    async take(demands, options?: TakeOptions): Promise<readonly Grant[]> {
      calls.push(demands)
      hinted.push(options?.observed !== undefined)
      const outcome = state.outcome(demands)
      if (outcome instanceof Error) throw outcome
      if (outcome === 'hang') await aborted(options?.signal)
      else if (outcome !== 'up') await outcome
      return near.take(demands)
    },
  }
  /** A limiter's guard. All guards of one store are in the same isolate. */
  const guarded = (options: Partial<GuardOptions> = {}): Store =>
    guard(store, {
      timeout: 1000,
      random: () => 0.5,
      clock,
      timer: clock.timer,
      onStoreEvent() {},
      ...options,
    })
  const used = async (demand: Demand) => (await near.take([{ ...demand, cost: 0 }]))[0]?.used ?? 0
  return { clock, near, calls, hinted, state, store, guarded, used }
}

const aborted = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new StoreError('timeout', 'hung')))
  })

export const refused = () => new StoreError('unreachable', 'connection refused')

/** Lets promises that wait for no timer run on. */
export async function flush(turns = 30): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
}

/** What runs in the background. Keys are healed for the second time after 5 s. */
export function background(clock: ManualClock) {
  const works: Promise<unknown>[] = []
  return {
    waitUntil: (work: Promise<unknown>) => void works.push(work),
    async settle() {
      await flush(500)
      clock.advance(5000)
      for (let done = 0; done < works.length; done++) await works[done]
    },
  }
}
