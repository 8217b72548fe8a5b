import { codeIn } from '../stores/redis-protocol/redis-error.ts'
import type { CheckContext } from './context.ts'
import { type Failure, failureOf } from './failure.ts'
import { findMissingPermission } from './missing-permission.ts'
import type { Probe } from './probe-target.ts'
import { remedyFor, unansweredFinding } from './remedy.ts'
import type { Finding } from './report.ts'

const ONE: Probe = { policy: 'doctor-one', limit: 1, cost: 1 }
const FIVE: Probe = { policy: 'doctor-five', limit: 5, cost: 1 }
const RACE: Probe = { policy: 'doctor-race', limit: 1, cost: 1 }

/** Whether the store runs Tidegate's own script, and counts correctly. */
export async function checkCounting(context: CheckContext): Promise<readonly Finding[]> {
  const { target } = context
  try {
    const wrong = await findWrongCount(context)
    if (target.command === undefined) return [wrong ?? counts]
    return [writes, runsScripts, wrong ?? counts, await checkLocking(context)]
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind === 'forbidden') return [await findMissingPermission(context)]
    if (isReadOnly(failure)) {
      return [{ ...failureFinding('write', failure), says: 'This is a read-only replica.' }]
    }
    return [failureFinding(isWriteError(failure) ? 'write' : 'script', failure)]
  }
}

const writes: Finding = { check: 'write', level: 'ok', says: 'This token or user may write.' }

const runsScripts: Finding = {
  check: 'script',
  level: 'ok',
  says: 'The server runs the script that counts.',
}

const counts: Finding = {
  check: 'counting',
  level: 'ok',
  says: 'The store grants and refuses correctly, also concurrent calls, and charges all of a call or nothing.',
}

async function checkLocking({ target }: CheckContext): Promise<Finding> {
  try {
    const says = (await target.locksKeys())
      ? 'Scripts lock only their own keys (Upstash’s key locking).'
      : 'No key locking: the server runs one script at a time, each for microseconds.'
    return { check: 'locking', level: 'ok', says }
  } catch (error) {
    return unansweredFinding('locking', 'EVAL', error)
  }
}

/** Three calls in order, then three at once. Returns `undefined` if all counts were right. */
async function findWrongCount({ target: { take } }: CheckContext): Promise<Finding | undefined> {
  const first = await take(ONE, FIVE)
  if (first.length !== 2 || first.some(({ granted, used }) => granted !== 1 || used !== 1)) {
    return wrongCount('The store did not grant the first unit of a fresh window.')
  }
  const [one, five] = await take(ONE, FIVE)
  if (one?.granted !== 0) return wrongCount('The store granted more than the limit.')
  if (five?.granted !== 0 || five.used !== 1) {
    return wrongCount('A call that one policy refused was charged to the other policy.')
  }
  if (!(one.retryIn > 0 && one.resetIn > 0)) {
    return wrongCount('The store refused a call with a `resetIn` or `retryIn` of 0.')
  }
  const race = await Promise.all([take(RACE), take(RACE), take(RACE)])
  const granted = race.reduce((sum, [grant]) => sum + (grant?.granted ?? 0), 0)
  return granted === 1
    ? undefined
    : wrongCount(`The store granted ${granted} of three concurrent calls, and the limit was 1.`)
}

const wrongCount = (says: string): Finding => ({
  check: 'counting',
  level: 'failure',
  says,
  remedy:
    'Look for a proxy that repeats or caches requests, or a replica that answers reads. If you wrote the store, run the suite of tidegate/testing.',
})

function failureFinding(check: 'write' | 'script', failure: Failure): Finding {
  const timedOut = failure.kind === 'timeout' || failure.kind === 'late'
  const noScripts = /unknown command/i.test(failure.message)
  return {
    check,
    level: 'failure',
    says:
      check === 'write'
        ? `The server rejects writes: ${failure.message}.`
        : `The script that counts ${timedOut ? 'timed out' : 'failed'}: ${failure.message}.`,
    remedy: noScripts
      ? 'The server must run Lua scripts (EVAL, EVALSHA): Redis 5 or newer, Valkey, or Upstash.'
      : remedyFor(failure),
  }
}

const isWriteError = ({ message }: Failure) => /^(?:OOM|MISCONF)$/.test(codeIn(message))
const isReadOnly = ({ message }: Failure) => codeIn(message) === 'READONLY'
