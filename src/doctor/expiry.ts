import type { CheckContext } from './context.ts'
import { unansweredFinding } from './remedy.ts'
import type { Finding } from './report.ts'

const END = { policy: 'doctor-end', limit: 1 }

/** How late a store may end a window because of the resolution of its clock. */
const GRACE_MS = 250

/** Whether a window ends in time. `trip` is how long a round trip takes, in ms. */
export async function checkExpiry(
  context: CheckContext,
  trip: number,
): Promise<readonly Finding[]> {
  const { target, timeBudget } = context
  const window = Math.min(2000, 200 + Math.ceil(4 * trip))
  try {
    const [opened] = await target.take({ ...END, window, cost: 1 })
    const left = await expiryLeft(context)
    if (left === -1) return [noExpiry]
    if (opened === undefined || opened.resetIn < 1 || opened.resetIn > window) {
      return [
        wrongExpiry(
          `The store opened a window of ${window} ms, and reports that it ends in ${opened?.resetIn} ms.`,
        ),
      ]
    }
    for (const ms of [opened.resetIn + 20, GRACE_MS]) {
      await timeBudget.pause(ms)
      const [after] = await target.take({ ...END, window, cost: 0 })
      if (after?.used === 0) {
        return [{ check: 'expiry', level: 'ok', says: `A window of ${window} ms ended in time.` }]
      }
    }
    return [wrongExpiry(`A window of ${window} ms was still open ${GRACE_MS} ms after its end.`)]
  } catch (error) {
    return [unansweredFinding('expiry', 'A take', error)]
  }
}

/**
 * The reply to PTTL: -1 without expiry, -2 without the key. `undefined` if PTTL is not permitted.
 */
async function expiryLeft({ target }: CheckContext): Promise<number | undefined> {
  try {
    return Number(await target.command?.(['PTTL', target.keyOf(END.policy)]))
  } catch {
    return undefined
  }
}

const REMEDY =
  'Check that the server’s clock runs, and that no proxy changes SET … PX or caches answers.'

const wrongExpiry = (says: string): Finding => ({
  check: 'expiry',
  level: 'failure',
  says,
  remedy: REMEDY,
})

const noExpiry = wrongExpiry(
  'The key of a count has no expiry: its client would be refused for ever.',
)
