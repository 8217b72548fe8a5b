import { codeIn } from '../stores/redis-protocol/redis-error.ts'
import { type Examination, remedyOf, unanswered } from './context.ts'
import { type Trouble, troubleOf } from './failure.ts'
import { whatIsForbidden } from './permission.ts'
import type { Probe } from './probe-target.ts'
import type { Finding } from './report.ts'

const ONE: Probe = { policy: 'doctor-one', limit: 1, cost: 1 }
const FIVE: Probe = { policy: 'doctor-five', limit: 5, cost: 1 }
const RACE: Probe = { policy: 'doctor-race', limit: 1, cost: 1 }

/** Whether the product's own script runs there, and counts as it should. */
export async function checkCounting(exam: Examination): Promise<readonly Finding[]> {
  const { patient } = exam
  try {
    const wrong = await countWrongly(exam)
    if (patient.command === undefined) return [wrong ?? counts]
    return [mayWrite, runsScripts, wrong ?? counts, await checkLocking(exam)]
  } catch (error) {
    const found = troubleOf(error)
    if (found.kind === 'forbidden') return [await whatIsForbidden(exam)]
    if (isReadOnly(found))
      return [{ ...failure('write', found), says: 'This is a read-only replica.' }]
    return [failure(/^(?:OOM|MISCONF)$/.test(codeIn(found.said)) ? 'write' : 'script', found)]
  }
}

const mayWrite: Finding = { check: 'write', level: 'ok', says: 'This token or user may write.' }

const runsScripts: Finding = {
  check: 'script',
  level: 'ok',
  says: 'The server runs the script that counts.',
}

const counts: Finding = {
  check: 'counting',
  level: 'ok',
  says: 'It grants, counts and refuses, also several calls at once, and charges all of a call or nothing.',
}

async function checkLocking({ patient }: Examination): Promise<Finding> {
  try {
    const says = (await patient.locksKeys())
      ? 'Scripts lock their own keys alone, as Upstash does.'
      : 'A Redis without locks by key: each script runs alone, for microseconds.'
    return { check: 'locking', level: 'ok', says }
  } catch (error) {
    return unanswered('locking', 'EVAL', error)
  }
}

/** Three calls in order, then three at once; nothing if all was right. */
async function countWrongly({ patient: { take } }: Examination): Promise<Finding | undefined> {
  const first = await take(ONE, FIVE)
  if (first.length !== 2 || first.some(({ granted, used }) => granted !== 1 || used !== 1)) {
    return wrongly('A fresh window did not grant the one unit that it was asked for.')
  }
  const [one, five] = await take(ONE, FIVE)
  if (one?.granted !== 0) return wrongly('It granted more than the limit.')
  if (five?.granted !== 0 || five.used !== 1) {
    return wrongly('A call that was refused for one policy was charged to the other.')
  }
  if (!(one.retryIn > 0 && one.resetIn > 0))
    return wrongly('It refused, and does not say until when.')
  const race = await Promise.all([take(RACE), take(RACE), take(RACE)])
  const granted = race.reduce((sum, [grant]) => sum + (grant?.granted ?? 0), 0)
  return granted === 1
    ? undefined
    : wrongly(`Of three calls at once for a limit of 1, ${granted} were granted.`)
}

const wrongly = (says: string): Finding => ({
  check: 'counting',
  level: 'failure',
  says,
  remedy:
    'See what is between: a proxy that repeats or caches requests, a replica that answers reads. A store of your own must pass the suite of tidegate/testing.',
})

function failure(check: 'write' | 'script', found: Trouble): Finding {
  const timedOut = found.kind === 'timeout' || found.kind === 'late'
  const noScripts = /unknown command/i.test(found.said)
  return {
    check,
    level: 'failure',
    says:
      check === 'write'
        ? `The server takes no writes: ${found.said}.`
        : `The script that counts ${timedOut ? 'timed out' : 'failed'}: ${found.said}.`,
    remedy: noScripts
      ? 'The server must run Lua scripts (EVAL, EVALSHA): Redis 5 or newer, Valkey, or Upstash.'
      : remedyOf(found),
  }
}

const isReadOnly = ({ said }: Trouble) => codeIn(said) === 'READONLY'
