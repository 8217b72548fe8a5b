import { rejectsHeader, saidBy } from './redis-error.ts'
import { KEY_LOCKING, PLAIN, type Script } from './script.ts'
import type { TakeOptions } from './store.ts'

/** What a store needs of a client: to run a script by its hash or by its text, and to count. */
export interface ScriptClient {
  evalsha(sha: string, keys: string[], args: string[], options?: TakeOptions): Promise<unknown>
  eval(script: string, keys: string[], args: string[], options?: TakeOptions): Promise<unknown>
  incrby(key: string, units: number, options?: TakeOptions): Promise<unknown>
}

/** Runs the one script. */
export type RunScript = (keys: string[], args: string[], options?: TakeOptions) => Promise<unknown>

/** Runs the script through a client, in one trip once the server knows it. */
export function scriptRunner(client: ScriptClient): RunScript {
  /** Which form of it the server takes; nothing until the first answer tells. */
  let known: Script | undefined

  return async (keys, args, options) => {
    // The first call of an isolate sends the text with Upstash's header: an Upstash database takes
    // it, so one trip is enough, and any other server rejects it before it runs.
    if (known === undefined) {
      try {
        const answer = await client.eval(KEY_LOCKING.text, keys, args, options)
        known = KEY_LOCKING
        return answer
      } catch (error) {
        if (!rejectsHeader(error)) throw error
        known = PLAIN
      }
    }
    const script = known
    try {
      return await client.evalsha(script.sha, keys, args, options)
    } catch (error) {
      // Never SCRIPT LOAD: with read replicas the next EVALSHA may meet one that has not seen it.
      if (!/\bNOSCRIPT\b/.test(saidBy(error))) throw error
      return client.eval(script.text, keys, args, options)
    }
  }
}
