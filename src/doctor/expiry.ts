import { type Examination, unanswered } from './context.ts'
import type { Finding } from './report.ts'

const END = { policy: 'doctor-end', limit: 1 }

/** In ms: how late an ended window may be noticed, by the store's clock and its resolution. */
const GRACE = 250

/** Whether a window really ends, seen from the outside. `trip` is how long an answer takes, in ms. */
export async function checkExpiry(exam: Examination, trip: number): Promise<readonly Finding[]> {
  const { patient, patience } = exam
  const window = Math.min(2000, 200 + Math.ceil(4 * trip))
  try {
    const [opened] = await patient.take({ ...END, window, cost: 1 })
    const left = await expiryLeft(exam)
    if (left === -1) return [endless]
    if (opened === undefined || opened.resetIn < 1 || opened.resetIn > window) {
      return [wrong(`A window of ${window} ms says that it ends in ${opened?.resetIn} ms.`)]
    }
    for (const ms of [opened.resetIn + 20, GRACE]) {
      await patience.pause(ms)
      const [after] = await patient.take({ ...END, window, cost: 0 })
      if (after?.used === 0) {
        return [{ check: 'expiry', level: 'ok', says: `A window of ${window} ms ended in time.` }]
      }
    }
    return [wrong(`A window of ${window} ms was still open ${GRACE} ms after its end.`)]
  } catch (error) {
    return [unanswered('expiry', 'A take', error)]
  }
}

/** `PTTL`'s answer: -1 without expiry, -2 without the key. Nothing where it may not be asked. */
async function expiryLeft({ patient }: Examination): Promise<number | undefined> {
  try {
    return Number(await patient.command?.(['PTTL', patient.keyOf(END.policy)]))
  } catch {
    return undefined
  }
}

const REMEDY =
  'See whether the server’s clock runs, and whether what is between changes SET … PX or caches answers.'

const wrong = (says: string): Finding => ({
  check: 'expiry',
  level: 'failure',
  says,
  remedy: REMEDY,
})

const endless = wrong('The key of a count has no expiry: its client would stay refused for ever.')
