import type { Command } from './command.ts'
import { RedisUnavailable } from './redis-unavailable.ts'
import { type ErrorReply, type Reply, toErrorReply, toReply } from './reply.ts'

/** The connection that transactions share with all other commands. */
export interface SharedConnection {
  /** Throws `RedisUnavailable` unless so many more commands can be sent now. */
  assertAvailable(commands: number): void
  /** Writes a command at once. Rejects with `RedisUnavailable`, or with the error of Redis. */
  send(command: Command): Promise<unknown>
  /** Closes the connection and opens another. */
  reconnect(): void
}

export interface Transactions {
  run(commands: readonly Command[]): Promise<readonly Reply[] | ErrorReply>
  /** Call when the connection was closed. */
  disconnected(): void
}

/**
 * Runs transactions on a shared connection. Commands that are written in one go stay together on
 * the connection, so a transaction needs no connection of its own.
 */
export function transactions(connection: SharedConnection): Transactions {
  const { assertAvailable, send, reconnect } = connection
  /** Whether Redis permits this user MULTI and EXEC: tested once for each connection. */
  let isPermitted = false

  /**
   * Sends an empty transaction, and returns the error if it fails. Without the permission for
   * MULTI, each command would run by itself, and only EXEC would fail.
   */
  async function testPermission(): Promise<ErrorReply | undefined> {
    const [multi, exec] = await Promise.allSettled([send(['MULTI']), send(['EXEC'])])
    if (multi.status === 'rejected') return toErrorReply(multi.reason)
    if (exec.status === 'fulfilled') return undefined
    const reply = toErrorReply(exec.reason)
    // If only MULTI is permitted, Redis 6 leaves the connection in a transaction without an end.
    if (!isAborted(reply)) reconnect()
    return reply
  }

  return {
    async run(commands) {
      assertAvailable(commands.length + 4)
      if (!isPermitted) {
        const error = await testPermission()
        if (error) return error
        isPermitted = true
        assertAvailable(commands.length + 2)
      }
      // Nothing else can be written between these commands, since there is no await between them.
      const begun = send(['MULTI'])
      const queued = commands.map(send)
      const ended = send(['EXEC'])
      const [multi, exec, ...others] = await Promise.allSettled([begun, ended, ...queued])
      if (multi.status === 'rejected') {
        isPermitted = false
        const { error } = toErrorReply(multi.reason)
        return { error: `${error} (the commands ran, but not as a transaction)` }
      }
      if (exec.status === 'rejected') {
        const reply = toErrorReply(exec.reason)
        const cause = others.find(({ status }) => status === 'rejected')
        if (cause?.status !== 'rejected' || !isAborted(reply)) return reply
        return {
          error: `EXECABORT Transaction discarded because of: ${toErrorReply(cause.reason).error}`,
        }
      }
      if (Array.isArray(exec.value) && exec.value.length === commands.length) {
        return exec.value.map(toReply)
      }
      reconnect()
      throw new RedisUnavailable('Redis returned a wrong number of replies')
    },
    disconnected() {
      isPermitted = false
    },
  }
}

/** Whether Redis itself has ended the transaction. */
const isAborted = ({ error }: ErrorReply) => error.startsWith('EXECABORT')
