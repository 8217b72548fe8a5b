import { type DoctorOptions, readOptions } from './options.ts'
import type { Report } from './report.ts'
import { runChecks } from './run-checks.ts'
import { readTarget, type Target } from './target.ts'

export type { Send } from '../stores/redis-protocol/rest.ts'
export type { DoctorOptions } from './options.ts'
export type { Check, Finding, Latency, Level, Report } from './report.ts'
export type { Target } from './target.ts'

/**
 * Examines a live store: whether it can be reached, accepts the credentials, permits writing,
 * counts correctly and expires keys in time; how fast it is; and the clock, memory and keys of its
 * server. Probe keys have random names and expire soon, and are deleted at the end.
 *
 * Throws a `ConfigError` for an invalid option. Problems of the store are findings of the report,
 * whose texts never contain a key, a token or a client.
 *
 * @example
 * import { doctor } from 'tidegate/doctor'
 *
 * app.get('/health/store', async (c) => {
 *   const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = c.env
 *   const report = await doctor({ url, token }, { probes: 5 })
 *   return c.json(report, report.ok ? 200 : 503)
 * })
 */
export async function doctor(target: Target, options: DoctorOptions = {}): Promise<Report> {
  const settings = readOptions(options)
  return runChecks(readTarget(target, options.address, settings.fetcher), settings)
}
