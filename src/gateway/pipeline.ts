import type { Command } from './command.ts'
import type { Reply } from './reply.ts'
import { NOT_RUN, responseBudget } from './response-budget.ts'

/** How many commands are sent at once: the replies to a thousand could be gigabytes. */
const BATCH_SIZE = 100

/**
 * Runs commands that are independent of each other. If Redis becomes unavailable in the middle,
 * each command without a reply gets an error reply. Rejects if no command of the first batch got a
 * reply.
 */
export async function runPipeline(
  commands: readonly Command[],
  run: (command: Command) => Reply | Promise<Reply>,
): Promise<readonly Reply[]> {
  const budget = responseBudget()
  const replies: Reply[] = []
  for (let from = 0; from < commands.length; from += BATCH_SIZE) {
    const batch = commands.slice(from, from + BATCH_SIZE)
    if (budget.isExceeded) {
      replies.push(...batch.map(() => NOT_RUN))
      continue
    }
    const settled = await Promise.allSettled(batch.map(run))
    const [first] = settled
    const isUnavailable = from === 0 && settled.every(({ status }) => status === 'rejected')
    if (first?.status === 'rejected' && isUnavailable) throw first.reason
    for (const item of settled) {
      const { value } = item.status === 'fulfilled' ? item : { value: { error: messageOf(item) } }
      replies.push(budget.charge(value))
    }
  }
  return replies
}

const messageOf = ({ reason }: PromiseRejectedResult) => (reason as Error).message
