import type { Metric } from '../metrics/metric.ts'
import type { Backend } from './backend.ts'
import { RedisUnavailable } from './redis-unavailable.ts'

/**
 * Reads the state of Redis, by one INFO (https://redis.io/docs/latest/commands/info/). A user
 * without the permission for INFO gets `store.up` alone.
 */
export async function redisMetrics(redis: Backend): Promise<readonly Metric[]> {
  try {
    const reply = await redis.call(['INFO'])
    const up = metric('store.up', 'gauge', '', 'Whether Redis answers: 1 or 0.', 1)
    return 'error' in reply ? up : [...up, ...fromInfo(`${reply.value}`)]
  } catch (error) {
    if (!(error instanceof RedisUnavailable)) throw error
    return metric('store.up', 'gauge', '', 'Whether Redis answers: 1 or 0.', 0)
  }
}

function fromInfo(info: string): readonly Metric[] {
  const numberOf = (field: string) => {
    const [, value] = new RegExp(`^${field}:(\\d+)\\r?$`, 'm').exec(info) ?? []
    return value === undefined ? undefined : Number(value)
  }
  let keys = 0
  for (const [, count] of info.matchAll(/^db\d+:keys=(\d+)/gm)) keys += Number(count)
  return [
    ...metric(
      'store.memory.used',
      'gauge',
      'By',
      'Memory that Redis uses.',
      numberOf('used_memory'),
    ),
    ...metric(
      'store.memory.max',
      'gauge',
      'By',
      'maxmemory of Redis; 0: none.',
      numberOf('maxmemory'),
    ),
    ...metric('store.evicted_keys', 'counter', '{key}', 'Evicted keys.', numberOf('evicted_keys')),
    ...metric('store.keys', 'gauge', '{key}', 'Keys in all databases of Redis.', keys),
  ]
}

/** A metric without labels; none if Redis does not tell its value. */
const metric = (
  name: string,
  type: 'gauge' | 'counter',
  unit: string,
  help: string,
  value: number | undefined,
): readonly Metric[] =>
  value === undefined ? [] : [{ name, type, unit, help, points: [{ labels: {}, value }] }]
