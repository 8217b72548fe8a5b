import type { Life } from '../../../src/simulation/life.ts'
import { type RedisModel, redisModel } from '../../../src/simulation/redis-model.ts'
import { TAKE } from '../../../src/stores/redis-protocol/script.ts'
import type { Command } from './command.ts'
import { keysOf } from './command.ts'

export type Reply = { readonly result: unknown } | { readonly error: string }

/** What a command did to one key. */
export interface Effect {
  readonly key: string
  readonly life: Life
  /** Units that the life has now, and how many more than before. */
  readonly count: number
  readonly added: number
  readonly isNew: boolean
}

/** A Redis with its cache of scripts, and values that are no counts. */
export interface Server {
  readonly model: RedisModel
  /** Runs a command at once. Only the reply takes a microtask. */
  run(
    words: readonly string[],
    command: Command,
  ): { reply: Promise<Reply>; effects: readonly Effect[] }
  /** When the life of a key began. */
  begin(life: Life): number
  /** Loses all counts, and with a restart all scripts. */
  lose(isRestart: boolean): void
  evict(key: string): void
  /** Puts something under a key that is not a count. */
  spoil(key: string): void
  /** When the lives of a key would have ended that were lost. */
  lostUntil(key: string): number
  isSpoiled(key: string): boolean
  wasSpoiled(key: string): boolean
}

const SHAS: ReadonlyMap<string, string> = new Map(
  [TAKE.plain, TAKE.locking].map(({ text, sha }) => [text, sha]),
)
const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

export function modelServer(now: () => number): Server {
  const model = redisModel(now)
  const begun = new WeakMap<Life, number>()
  const loaded = new Set<string>()
  const spoiled = new Set<string>()
  const onceSpoiled = new Set<string>()
  const lost = new Map<string, number>()

  function lose(key: string): void {
    const life = model.life(key)
    // Without an expiry, some isolate may believe in an earlier end.
    const until = life ? (life.endsAt ?? Number.POSITIVE_INFINITY) : 0
    lost.set(key, Math.max(until, lost.get(key) ?? 0))
    model.evict(key)
  }

  async function replyTo(words: readonly string[], command: Command): Promise<Reply> {
    if (keysOf(command).some((key) => spoiled.has(key))) return { error: WRONG_TYPE }
    if (command.name === 'INCRBY') {
      return { result: await model.client.incrby(command.key, command.units) }
    }
    if (command.name === 'EVAL') loaded.add(SHAS.get(command.script) ?? '')
    else if (!loaded.has(command.script)) return { error: 'NOSCRIPT No matching script.' }
    const keys = keysOf(command)
    return {
      result: await model.client.eval(command.script, [...keys], words.slice(3 + keys.length)),
    }
  }

  return {
    model,
    run(words, command) {
      const keys = keysOf(command)
      const before = keys.map((key) => ({
        life: model.life(key),
        count: model.life(key)?.count ?? 0,
      }))
      const reply = replyTo(words, command)
      const effects = keys.flatMap((key, index): readonly Effect[] => {
        const life = model.life(key)
        if (life === undefined) return []
        const isNew = life !== before[index]?.life
        if (isNew) begun.set(life, now())
        const added = life.count - (isNew ? 0 : (before[index]?.count ?? 0))
        return [{ key, life, isNew, added, count: life.count }]
      })
      return { reply, effects }
    },
    begin: (life) => begun.get(life) ?? now(),
    lose(isRestart) {
      for (const key of model.keys()) lose(key)
      spoiled.clear()
      if (isRestart) loaded.clear()
    },
    evict(key) {
      lose(key)
      spoiled.delete(key)
    },
    spoil(key) {
      lose(key)
      spoiled.add(key)
      onceSpoiled.add(key)
    },
    lostUntil: (key) => lost.get(key) ?? 0,
    wasSpoiled: (key) => onceSpoiled.has(key),
    isSpoiled: (key) => spoiled.has(key),
  }
}
