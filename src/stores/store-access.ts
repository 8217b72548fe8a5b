import type { Clock } from '../clock.ts'
import type { Taken, Window } from './fixed-window.ts'
import type { RunScript } from './redis-protocol/redis-commands.ts'
import type { ScriptForms } from './redis-protocol/script.ts'
import type { CountedKey, Demand, Grant, Store, TakeOptions } from './store.ts'

/* How `settling` reaches the counts of Tidegate's own stores, which contain nothing of it. */

/** What memory keeps of one policy. */
export interface Kept {
  /** By client, in the order in which they open and end. */
  readonly windows: Map<string, Window>
  /** Clients that have used up their limit or were refused, in the order in which they did. */
  readonly exhausted: Set<string>
}

export interface MemoryAccess {
  readonly kind: 'memory'
  readonly clock: Clock
  /** `take` of the store. `complete` may change what is kept and returned. */
  take(
    demands: readonly Demand[],
    options?: TakeOptions,
    complete?: (taken: Taken) => Taken,
  ): Promise<readonly Grant[]>
  keptOf(key: CountedKey): Kept
}

export interface RedisAccess {
  readonly kind: 'redis'
  /** Makes the function that runs a script. */
  runner(forms: ScriptForms): RunScript
  /** Runs a call about these items. Its errors name neither their keys nor their clients. */
  call<Answer>(
    items: readonly CountedKey[],
    options: TakeOptions | undefined,
    run: (keys: string[]) => Promise<Answer>,
  ): Promise<Answer>
}

export const isOfMemory = (access: Store['access']): access is MemoryAccess =>
  access?.kind === 'memory'

export const isOfRedis = (access: Store['access']): access is RedisAccess =>
  access?.kind === 'redis'
