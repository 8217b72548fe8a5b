import type { Owed } from '../../../src/stores/store.ts'

/** What a script is told of one key. */
export interface ScriptDemand {
  readonly key: string
  readonly limit: number
  readonly window: number
  readonly cost: number
  readonly reserve: number
  readonly owed: Owed | undefined
}

/** A command as an isolate sends it. */
export type Command =
  | { readonly name: 'INCRBY'; readonly key: string; readonly units: number }
  | {
      readonly name: 'EVAL' | 'EVALSHA'
      readonly script: string
      readonly demands: readonly ScriptDemand[]
    }

/** Reads the words of a command (src/stores/redis-protocol/script.ts has the arguments). */
export function parseCommand([name, first = '', second = '', ...rest]: readonly string[]): Command {
  if (name === 'INCRBY') return { name, key: first, units: Number(second) }
  if (name !== 'EVAL' && name !== 'EVALSHA') throw new Error(`an isolate sent ${name}`)
  const keys = rest.slice(0, Number(second))
  const numbers = rest.slice(keys.length).map(Number)
  const demands = keys.map((key, index): ScriptDemand => {
    const [limit = 0, window = 0, cost = 0, reserve = 0, units = 0, age = 0, rest = 0] =
      numbers.slice(7 * index)
    return {
      key,
      limit,
      window,
      cost,
      reserve,
      owed: units > 0 ? { units, age, rest } : undefined,
    }
  })
  return { name, script: first, demands }
}

export const keysOf = (command: Command): readonly string[] =>
  command.name === 'INCRBY' ? [command.key] : command.demands.map(({ key }) => key)

/** Whether a command changes a count. A look may set an expiry all the same. */
export const isWrite = (command: Command): boolean =>
  command.name === 'INCRBY' ||
  command.demands.some(({ cost, reserve, owed }) => cost + reserve > 0 || owed !== undefined)
