import { redactedMessage } from '../../redact.ts'
import type { TakeOptions } from '../store.ts'
import { isOfScript, isUnknownHash, rejectsForm } from './redis-error.ts'
import { KEY_LOCKING, PLAIN, type Script } from './script.ts'

/** What a store needs of a client: to run a script by its hash or by its text, and to count. */
export interface RedisCommands {
  evalsha(sha: string, keys: string[], args: string[], options?: TakeOptions): Promise<unknown>
  eval(script: string, keys: string[], args: string[], options?: TakeOptions): Promise<unknown>
  incrby(key: string, units: number, options?: TakeOptions): Promise<unknown>
}

/** Runs the one script. */
export type RunScript = (keys: string[], args: string[], options?: TakeOptions) => Promise<unknown>

/**
 * Runs the script through a client, in one trip: the first call of an isolate sends its text, and
 * later calls its hash. With `keyLocking`, the script has Upstash's header.
 */
export function scriptRunner(client: RedisCommands, keyLocking: boolean): RunScript {
  /** The form that the server has taken; nothing while the text has to be sent. */
  let known: Script | undefined
  /** A server that rejects the header twice, or says so, is not sent it again. */
  let rejections = keyLocking ? 0 : 2

  async function sendText(script: Script, ...[keys, args, options]: Parameters<RunScript>) {
    const answer = await client.eval(script.text, keys, args, options)
    if (script === KEY_LOCKING || rejections > 1) known = script
    return answer
  }

  return async (keys, args, options) => {
    const script = known
    if (script !== undefined) {
      try {
        return await client.evalsha(script.sha, keys, args, options)
      } catch (error) {
        // Never SCRIPT LOAD: with read replicas the next EVALSHA may meet one that has not seen it.
        if (isUnknownHash(error)) return sendText(script, keys, args, options)
        // It may mean the same in other words: the next call sends the text, this one may have run.
        if (rejectsForm(error)) known = undefined
        throw error
      }
    }
    if (rejections > 1) return sendText(PLAIN, keys, args, options)
    try {
      return await sendText(KEY_LOCKING, keys, args, options)
    } catch (error) {
      if (!rejectsForm(error)) throw error
      rejections += isOfScript(redactedMessage(error)) ? 2 : 1
      return sendText(PLAIN, keys, args, options)
    }
  }
}
