import type { TakeOptions } from '../store.ts'
import { isOfScript, isOfUnknownHash, rejectionOfForm } from './redis-error.ts'
import type { Script, ScriptForms } from './script.ts'

/** The commands that a store needs: run a script by its hash or its text, and count. */
export interface RedisCommands {
  evalsha(sha: string, keys: string[], args: string[], options?: TakeOptions): Promise<unknown>
  eval(script: string, keys: string[], args: string[], options?: TakeOptions): Promise<unknown>
  incrby(key: string, units: number, options?: TakeOptions): Promise<unknown>
}

/** Runs a script. */
export type RunScript = (keys: string[], args: string[], options?: TakeOptions) => Promise<unknown>

/**
 * Runs a script through a client, in one trip: the first call of an isolate sends its text, and
 * later calls its hash. With `keyLocking`, the script has Upstash's header.
 */
export function scriptRunner(
  client: RedisCommands,
  { plain, locking }: ScriptForms,
  keyLocking: boolean,
): RunScript {
  /** The script that the server has cached; `undefined` while the text has to be sent. */
  let known: Script | undefined
  /** After two rejections, or one that mentions the script, the header is not sent again. */
  let rejections = keyLocking ? 0 : 2

  async function sendText(script: Script, call: Parameters<RunScript>) {
    const answer = await client.eval(script.text, ...call)
    if (script === locking || rejections > 1) known = script
    return answer
  }

  return async (...call) => {
    const script = known
    if (script !== undefined) {
      try {
        return await client.evalsha(script.sha, ...call)
      } catch (error) {
        const words = rejectionOfForm(error)
        if (words === undefined) throw error
        // Never SCRIPT LOAD: with read replicas the next EVALSHA may meet one that has not seen it.
        if (isOfUnknownHash(words)) {
          // Nobody waits any more, so the units would be counted for nobody.
          call[2]?.signal?.throwIfAborted()
          return sendText(script, call)
        }
        // This may be an unknown hash too, in other words. The next call sends the text. This call
        // is not repeated, since it may have run.
        known = undefined
        throw error
      }
    }
    if (rejections > 1) return sendText(plain, call)
    try {
      return await sendText(locking, call)
    } catch (error) {
      const words = rejectionOfForm(error)
      if (words === undefined) throw error
      rejections += isOfScript(words) ? 2 : 1
      return sendText(plain, call)
    }
  }
}
