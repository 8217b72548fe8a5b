import type { Command } from './command.ts'
import { toFailure, toReply } from './refusal.ts'
import type { Refusal, Reply } from './reply.ts'
import { RedisAway } from './unavailable.ts'

/** The connection that transactions share with everything else. */
export interface Line {
  /** Throws `RedisAway` unless so many more commands can be sent now. */
  assertThere(more: number): void
  /** Writes a command at once. Rejects with `RedisAway`, or with the refusal of Redis. */
  send(command: Command): Promise<unknown>
  /** Gives the connection up for a new one. */
  renew(): void
}

export interface Transactions {
  run(commands: readonly Command[]): Promise<readonly Reply[] | Refusal>
  /** The connection is another one now. */
  renewed(): void
}

/** What is written in one go stays together on the connection, which is all that one needs. */
export function transactions({ assertThere, send, renew }: Line): Transactions {
  /** Whether Redis lets this user have transactions, found out once for each connection. */
  let known = false

  /** Without the right to MULTI each command would run by itself, and EXEC alone would fail. */
  async function tryOne(): Promise<Refusal | undefined> {
    const [multi, exec] = await Promise.allSettled([send(['MULTI']), send(['EXEC'])])
    if (multi.status === 'rejected') return toFailure(multi.reason)
    if (exec.status === 'fulfilled') return undefined
    const refusal = toFailure(exec.reason)
    // With half of the right Redis 6 leaves the connection in a transaction that nobody can end.
    if (!isAborted(refusal)) renew()
    return refusal
  }

  return {
    async run(commands) {
      assertThere(commands.length + 4)
      if (!known) {
        const refusal = await tryOne()
        if (refusal) return refusal
        known = true
        assertThere(commands.length + 2)
      }
      // All are written before anything else can be: no await stands between them.
      const begun = send(['MULTI'])
      const queued = commands.map(send)
      const ended = send(['EXEC'])
      const [multi, exec, ...others] = await Promise.allSettled([begun, ended, ...queued])
      if (multi.status === 'rejected') {
        known = false
        const { error } = toFailure(multi.reason)
        return { error: `${error} (the commands ran, but not as a transaction)` }
      }
      if (exec.status === 'rejected') {
        const refusal = toFailure(exec.reason)
        const cause = others.find(({ status }) => status === 'rejected')
        if (cause?.status !== 'rejected' || !isAborted(refusal)) return refusal
        return {
          error: `EXECABORT Transaction discarded because of: ${toFailure(cause.reason).error}`,
        }
      }
      if (Array.isArray(exec.value) && exec.value.length === commands.length) {
        return exec.value.map(toReply)
      }
      renew()
      throw new RedisAway('Redis gave an answer of another length')
    },
    renewed() {
      known = false
    },
  }
}

/** Redis itself has ended such a transaction. */
const isAborted = ({ error }: Refusal) => error.startsWith('EXECABORT')
