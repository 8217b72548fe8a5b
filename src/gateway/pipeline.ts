import type { Command } from './command.ts'
import type { Reply } from './reply.ts'
import { NOT_RUN, newRoom } from './response-budget.ts'

/** So many commands are sent at once: the replies to a thousand could be gigabytes. */
const SLICE = 100

/** The replies to commands that need not stay together. One of them fails alone. */
export async function runAll(
  commands: readonly Command[],
  run: (command: Command) => Reply | Promise<Reply>,
): Promise<readonly Reply[]> {
  const room = newRoom()
  const replies: Reply[] = []
  for (let from = 0; from < commands.length; from += SLICE) {
    const slice = commands.slice(from, from + SLICE)
    if (room.full) {
      replies.push(...slice.map(() => NOT_RUN))
      continue
    }
    const settled = await Promise.allSettled(slice.map(run))
    // Of a Redis that went away in the middle each item tells; of one that is away, the whole.
    const [first] = settled
    const none = from === 0 && settled.every(({ status }) => status === 'rejected')
    if (first?.status === 'rejected' && none) throw first.reason
    for (const item of settled) {
      const { value } = item.status === 'fulfilled' ? item : { value: { error: messageOf(item) } }
      replies.push(room.fit(value))
    }
  }
  return replies
}

const messageOf = ({ reason }: PromiseRejectedResult) => (reason as Error).message
