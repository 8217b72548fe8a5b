import type { Life } from '../../../src/simulation/life.ts'
import type { Command, ScriptDemand } from './command.ts'
import type { Effect } from './server.ts'

/** What a command did to one key, and why. */
export interface Outcome {
  readonly key: string
  readonly life: Life
  readonly isNew: boolean
  /** Units that the isolate may admit requests on. */
  readonly granted: number
  /** Units that it owed. */
  readonly charged: number
  /** Units used after the command, at most the limit. */
  readonly used: number
  /** In ms until the end of the life, as a script told it. */
  readonly resetIn: number | undefined
  /** `undefined` for a plain count. */
  readonly demand: ScriptDemand | undefined
}

export function outcomesOf(
  command: Command,
  effects: readonly Effect[],
  result: unknown,
  limitOf: (key: string) => number,
): readonly Outcome[] {
  return effects.map(({ key, life, isNew, added, count }): Outcome => {
    const limit = limitOf(key)
    const used = Math.min(count, limit)
    if (command.name === 'INCRBY') {
      const granted = used - Math.min(count - added, limit)
      return { key, life, isNew, granted, charged: 0, used, resetIn: undefined, demand: undefined }
    }
    const index = command.demands.findIndex((one) => one.key === key)
    const answer = Array.isArray(result) ? result[index] : []
    const [granted = 0, , resetIn = 0] = answer
    const charged = added - granted
    return { key, life, isNew, granted, charged, used, resetIn, demand: command.demands[index] }
  })
}
