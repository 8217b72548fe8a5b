import { type Examination, unanswered } from './context.ts'
import type { Check, Finding } from './report.ts'

/** What the server tells of itself: its clock, its memory, its keys. */
export async function checkServer(exam: Examination): Promise<readonly Finding[]> {
  if (exam.patient.command === undefined) return []
  return [await checkClock(exam), ...(await checkInfo(exam)), await checkKeys(exam)]
}

/** The difference of the clocks, by the quicker of two questions, its half way back taken off. */
async function checkClock({ patient, clock, thresholds }: Examination): Promise<Finding> {
  const check = 'clock'
  try {
    let best: { readonly trip: number; readonly ahead: number } | undefined
    for (let question = 0; question < 2; question++) {
      const sent = clock()
      const answer = await patient.command?.(['TIME'])
      const trip = clock() - sent
      const [seconds, micros] = Array.isArray(answer) ? answer.map(Number) : []
      if (seconds === undefined || micros === undefined) break
      const ahead = seconds * 1000 + micros / 1000 - (sent + trip / 2)
      if (best === undefined || trip < best.trip) best = { trip, ahead }
    }
    if (best === undefined || !Number.isFinite(best.ahead)) {
      return { check, level: 'info', says: 'The server does not tell its time.' }
    }
    const skew = Math.abs(best.ahead)
    if (skew <= thresholds.maxSkew + best.trip / 2) {
      return { check, level: 'ok', says: `The server’s clock and ours agree to ${inTime(skew)}.` }
    }
    const side = best.ahead > 0 ? 'ahead of' : 'behind'
    return {
      check,
      level: 'warning',
      says: `The server’s clock is ${inTime(skew)} ${side} ours. Windows are right all the same: the server’s clock alone decides when they end.`,
      remedy:
        'Set both clocks by NTP. Whatever compares times of the two (logs, certificates, EXPIREAT) is wrong until then.',
    }
  } catch (error) {
    return unanswered(check, 'TIME', error)
  }
}

const CHECKS_OF_INFO: readonly Check[] = ['memory', 'eviction', 'evicted']

async function checkInfo({ patient, thresholds }: Examination): Promise<readonly Finding[]> {
  try {
    const text = String(await patient.command?.(['INFO']))
    const fields = new Map(
      [...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
    )
    const numberOf = (name: string) => {
      const value = fields.get(name)
      return value === undefined || value === '' ? undefined : Number(value)
    }
    const max = numberOf('maxmemory')
    return [
      memoryFinding(numberOf('used_memory'), max, thresholds.maxMemory),
      evictionFinding(fields.get('maxmemory_policy'), max),
      evictedFinding(numberOf('evicted_keys')),
      ...(fields.get('cluster_enabled') === '1' ? [ofCluster] : []),
    ]
  } catch (error) {
    return CHECKS_OF_INFO.map((check) => unanswered(check, 'INFO', error))
  }
}

/** Which of its keys a node holds is chance, so that all else may look well. */
const ofCluster: Finding = {
  check: 'cluster',
  level: 'info',
  says: 'This is a node of a Redis Cluster. Memory and keys are those of this node alone.',
  remedy: 'Count through a client for clusters: one for single servers fails for most clients.',
}

function memoryFinding(used: number | undefined, max: number | undefined, most: number): Finding {
  const check = 'memory'
  if (used === undefined || max === undefined) {
    return { check, level: 'info', says: 'The server does not tell its memory.' }
  }
  if (max === 0) {
    return {
      check,
      level: 'info',
      says: `${inBytes(used)} are used, and no maxmemory is set: the machine’s memory is the bound.`,
      remedy: 'Set maxmemory below what the machine has, so that it is Redis that says no.',
    }
  }
  const says = `${Math.round((100 * used) / max)} % of maxmemory is used (${inBytes(used)} of ${inBytes(max)}).`
  if (used / max <= most) return { check, level: 'ok', says }
  return {
    check,
    level: 'warning',
    says,
    remedy: 'Raise maxmemory, or move what is not a count to a database of its own.',
  }
}

function evictionFinding(policy: string | undefined, max: number | undefined): Finding {
  const check = 'eviction'
  if (policy === undefined) {
    return { check, level: 'info', says: 'The server does not tell its maxmemory-policy.' }
  }
  const name = policy.slice(0, 40)
  if (name === 'noeviction') {
    return { check, level: 'ok', says: 'No count is evicted (noeviction).' }
  }
  const says = `When memory is full the server may evict counts (${name}): an evicted count is a fresh window, and its client gets more than its limit.`
  return {
    check,
    level: max === 0 ? 'info' : 'warning',
    says: max === 0 ? `${says} Without maxmemory that does not happen.` : says,
    remedy: 'Keep counts in a database of their own, with maxmemory-policy noeviction.',
  }
}

function evictedFinding(evicted: number | undefined): Finding {
  const check = 'evicted'
  if (evicted === undefined) {
    return { check, level: 'info', says: 'The server does not tell how many keys it evicted.' }
  }
  if (evicted === 0) return { check, level: 'ok', says: 'No key was evicted since it started.' }
  return {
    check,
    level: 'warning',
    says: `${evicted} keys were evicted since it started; counts may be among them.`,
    remedy: 'Give it more memory, and counts a database of their own with noeviction.',
  }
}

/** SCAN is asked this often at most, for this many keys each time. */
const ROUNDS = 5
const KEYS_OF_A_ROUND = 1000

async function checkKeys({ patient, prefix }: Examination): Promise<Finding> {
  const check = 'keys'
  const ours = new Set(patient.traces())
  const found = new Set<string>()
  const pattern = `${prefix.replace(/[\\*?[\]^]/g, '\\$&')}:*`
  let cursor = '0'
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const words = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', `${KEYS_OF_A_ROUND}`]
      const answer = await patient.command?.(words)
      const [next, keys] = Array.isArray(answer) ? answer : []
      if (!Array.isArray(keys)) {
        return { check, level: 'info', says: 'The server does not list its keys.' }
      }
      for (const key of keys) if (!ours.has(String(key))) found.add(String(key))
      cursor = String(next)
      if (cursor === '0') break
    }
    const number = cursor === '0' ? `${found.size}` : `At least ${found.size}`
    const bound = cursor === '0' ? '' : ` (looked at ${ROUNDS * KEYS_OF_A_ROUND} keys)`
    return { check, level: 'ok', says: `${number} keys begin with "${prefix}:"${bound}.` }
  } catch (error) {
    return unanswered(check, 'SCAN', error)
  }
}

function inTime(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

function inBytes(bytes: number): string {
  const mib = bytes / 2 ** 20
  return mib < 1024 ? `${mib.toFixed(1)} MiB` : `${(mib / 1024).toFixed(1)} GiB`
}
