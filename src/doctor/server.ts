import type { CheckContext } from './context.ts'
import type { Evictions } from './evictions.ts'
import { unansweredFinding } from './remedy.ts'
import type { Check, Finding } from './report.ts'

/** Checks the server by its own commands: TIME, INFO and SCAN. */
export async function checkServer(context: CheckContext): Promise<readonly Finding[]> {
  if (context.target.command === undefined) return []
  return [await checkClock(context), ...(await checkInfo(context)), await checkKeys(context)]
}

/**
 * Compares the clocks. Uses the quicker of two requests, and assumes that the server read its clock
 * half way through the round trip.
 */
async function checkClock({ target, clock, thresholds }: CheckContext): Promise<Finding> {
  const check = 'clock'
  try {
    let best: { readonly trip: number; readonly ahead: number } | undefined
    for (let request = 0; request < 2; request++) {
      const sent = clock()
      const answer = await target.command?.(['TIME'])
      const trip = clock() - sent
      const [seconds, micros] = Array.isArray(answer) ? answer.map(Number) : []
      if (seconds === undefined || micros === undefined) break
      const ahead = seconds * 1000 + micros / 1000 - (sent + trip / 2)
      if (best === undefined || trip < best.trip) best = { trip, ahead }
    }
    if (best === undefined || !Number.isFinite(best.ahead)) {
      return noResult(check, 'The server does not report its time.')
    }
    const skew = Math.abs(best.ahead)
    if (skew <= thresholds.maxSkew + best.trip / 2) {
      return {
        check,
        level: 'ok',
        says: `The clocks of the server and this machine differ by ${formatDuration(skew)}.`,
      }
    }
    const side = best.ahead > 0 ? 'ahead of' : 'behind'
    return {
      check,
      level: 'warning',
      says: `The server’s clock is ${formatDuration(skew)} ${side} this machine’s. Windows are still right: only the server’s clock decides when they end.`,
      remedy:
        'Synchronise both clocks with NTP. Until then, comparing times of both machines gives wrong results (logs, certificates, EXPIREAT).',
    }
  } catch (error) {
    return unansweredFinding(check, 'TIME', error)
  }
}

const INFO_CHECKS: readonly Check[] = ['memory', 'eviction', 'evicted']

async function checkInfo(context: CheckContext): Promise<readonly Finding[]> {
  const { target, thresholds, evictions } = context
  try {
    const text = String(await target.command?.(['INFO']))
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
      evictedFinding(numberOf('evicted_keys'), evictions),
      ...(fields.get('cluster_enabled') === '1' ? [clusterNode] : []),
    ]
  } catch (error) {
    return INFO_CHECKS.map((check) => unansweredFinding(check, 'INFO', error))
  }
}

/** The probes share a slot. If this node holds it, all other checks succeed. */
const clusterNode: Finding = {
  check: 'cluster',
  level: 'info',
  says: 'This server is a node of a Redis Cluster. The findings about memory and keys are about this node only.',
  remedy: 'Use a cluster client: a client for one server fails for most keys.',
}

function memoryFinding(used: number | undefined, max: number | undefined, most: number): Finding {
  const check = 'memory'
  if (used === undefined || max === undefined) {
    return noResult(check, 'The server does not report its memory.')
  }
  if (max === 0) {
    return {
      check,
      level: 'info',
      says: `${formatBytes(used)} are used, and maxmemory is not set: Redis may use all of the machine’s memory.`,
      remedy:
        'Set maxmemory below the machine’s memory, so that Redis rejects writes before the machine runs out of memory.',
    }
  }
  const says = `${Math.round((100 * used) / max)} % of maxmemory is used (${formatBytes(used)} of ${formatBytes(max)}).`
  if (used / max <= most) return { check, level: 'ok', says }
  return {
    check,
    level: 'warning',
    says,
    remedy: 'Raise maxmemory, or move other data to another Redis.',
  }
}

function evictionFinding(policy: string | undefined, max: number | undefined): Finding {
  const check = 'eviction'
  if (policy === undefined) {
    return noResult(check, 'The server does not report its maxmemory-policy.')
  }
  const name = policy.slice(0, 40)
  if (name === 'noeviction') {
    return { check, level: 'ok', says: 'No count is evicted (noeviction).' }
  }
  const says = `When memory is full, the server may evict counts (${name}). A client whose count is evicted gets more than its limit.`
  return {
    check,
    level: max === 0 ? 'info' : 'warning',
    says: max === 0 ? `${says} Without maxmemory this does not happen.` : says,
    remedy: 'Keep counts in a Redis of their own, with maxmemory-policy noeviction.',
  }
}

function evictedFinding(total: number | undefined, evictions: Evictions | undefined): Finding {
  const check = 'evicted'
  if (total === undefined) {
    return noResult(check, 'The server does not report how many keys it evicted.')
  }
  const recent = evictions?.add(total)
  const isFirst = evictions !== undefined && recent === undefined
  const since = recent === undefined ? 'since the server started' : 'in the last examinations'
  const evicted = recent ?? total
  if (evicted === 0) return { check, level: 'ok', says: `No key was evicted ${since}.` }
  return {
    check,
    level: isFirst ? 'info' : 'warning',
    says: `${evicted === 1 ? '1 key was' : `${evicted} keys were`} evicted ${since}, and counts may be among them.`,
    remedy: 'Raise maxmemory, and keep counts in a Redis of their own with noeviction.',
  }
}

/** The most SCAN commands that are sent, and the keys of each. */
const MAX_SCANS = 5
const KEYS_PER_SCAN = 1000

async function checkKeys({ target, prefix }: CheckContext): Promise<Finding> {
  const check = 'keys'
  const probeKeys = new Set(target.probeKeys())
  const found = new Set<string>()
  const pattern = `${prefix.replace(/[\\*?[\]^]/g, '\\$&')}:*`
  let cursor = '0'
  try {
    for (let scan = 0; scan < MAX_SCANS; scan++) {
      const words = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', `${KEYS_PER_SCAN}`]
      const answer = await target.command?.(words)
      const [next, keys] = Array.isArray(answer) ? answer : []
      if (!Array.isArray(keys)) {
        return noResult(check, 'The server does not list its keys.')
      }
      for (const key of keys) if (!probeKeys.has(String(key))) found.add(String(key))
      cursor = String(next)
      if (cursor === '0') break
    }
    const number = cursor === '0' ? `${found.size}` : `At least ${found.size}`
    const bound = cursor === '0' ? '' : ` (looked at ${MAX_SCANS * KEYS_PER_SCAN} keys)`
    return { check, level: 'ok', says: `${number} keys begin with "${prefix}:"${bound}.` }
  } catch (error) {
    return unansweredFinding(check, 'SCAN', error)
  }
}

const noResult = (check: Check, says: string): Finding => ({
  check,
  level: 'info',
  says,
  isSkipped: true,
})

function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

function formatBytes(bytes: number): string {
  const mib = bytes / 2 ** 20
  return mib < 1024 ? `${mib.toFixed(1)} MiB` : `${(mib / 1024).toFixed(1)} GiB`
}
