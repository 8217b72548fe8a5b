import type { Clock } from '../clock.ts'
import type { Taken, Window } from './fixed-window.ts'
import type { RunScript } from './redis-protocol/redis-commands.ts'
import type { ScriptForms } from './redis-protocol/script.ts'
import type { CountedKey, Demand, Grant, Store, TakeOptions } from './store.ts'

/* How `settling` reaches the counts of Tidegate's own stores, which contain nothing of it. */

export interface MemoryAccess {
  readonly kind: 'memory'
  readonly clock: Clock
  /** Takes demands at once. `complete` may change what is kept and returned. */
  take(demands: readonly Demand[], complete: (taken: Taken) => Taken): readonly Grant[]
  find(key: CountedKey): Window | undefined
  replace(key: CountedKey, window: Window): void
}

export interface RedisAccess {
  readonly kind: 'redis'
  toKey(key: CountedKey): string
  /** Makes the function that runs a script. */
  runner(forms: ScriptForms): RunScript
  /** Runs a call about these clients and keys, and converts its errors. */
  attempt<Answer>(
    items: readonly CountedKey[],
    keys: readonly string[],
    options: TakeOptions | undefined,
    call: () => Promise<Answer>,
  ): Promise<Answer>
}

export const isOfMemory = (access: Store['access']): access is MemoryAccess =>
  access?.kind === 'memory'

export const isOfRedis = (access: Store['access']): access is RedisAccess =>
  access?.kind === 'redis'
