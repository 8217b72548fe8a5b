import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { type DoctorOptions, doctor, type Send, type Target } from '../../../src/doctor/doctor.ts'
import { type GatewayServerOptions, startGateway } from '../../support/gateway-server.ts'
import { type SpawnOptions, spawnRedis } from '../../support/redis-server.ts'

export const PASSWORD = 'a-password-of-the-tests'

/** Texts that no report may contain. */
const secrets = [PASSWORD, 'secret-of-url']

/** The machine may be busy: the latency of a store is no finding then. */
export const patient: DoctorOptions = { maxLatency: '1s' }

/** A Redis to examine, and whatever else a test starts; `end` stops it all. */
export async function ward(users: Readonly<Record<string, string>> = {}) {
  const ends: (() => unknown)[] = []

  function connect(url: string): Redis {
    const client = new Redis(url, { retryStrategy: () => null, enableReadyCheck: false })
    client.on('error', () => {})
    ends.push(() => client.disconnect())
    return client
  }
  async function spawn(options?: SpawnOptions) {
    const server = await spawnRedis(options)
    ends.push(() => server.stop())
    return server
  }

  const server = await spawn()
  const redis = connect(server.url)
  for (const [user, rules] of Object.entries(users)) {
    secrets.push(user)
    await redis.call('ACL', 'SETUSER', user, 'on', `>${PASSWORD}`, ...rules.split(' '))
  }
  return {
    server,
    redis,
    connect,
    spawn,
    asUser: (user: string) => server.url.replace('//', `//${user}:${PASSWORD}@`),
    async gatewayTo(url: string, options?: GatewayServerOptions) {
      const gateway = await startGateway(url, options)
      ends.push(() => gateway.stop())
      return gateway
    },
    /** Something more that the end stops. */
    later: (end: () => unknown) => ends.push(end),
    async end() {
      for (const end of ends.reverse()) await end()
    },
  }
}

/** Raw commands over a client of ioredis. */
export const over =
  (client: Pick<Redis, 'call'>): Send =>
  ([name = '', ...args]) =>
    client.call(name, ...args)

/**
 * Returns the report by its checks. Fails if a text of the report contains a secret.
 *
 * @param run the doctor, or one of virtual time
 */
export async function examine(target: Target, options: DoctorOptions = {}, run = doctor) {
  if (typeof target === 'object' && 'token' in target) secrets.push(target.token)
  const report = await run(target, options)
  const text = JSON.stringify(report)
  for (const secret of secrets) expect(text.includes(secret) && text).toBe(false)
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
  for (const { level, remedy } of report.findings) {
    if (level === 'warning' || level === 'failure') expect(remedy).toMatch(/^[A-Z].{20,}\.$/)
  }
  const of = Object.fromEntries(report.findings.map((finding) => [finding.check, finding]))
  const levels = Object.fromEntries(report.findings.map(({ check, level }) => [check, level]))
  return { ...report, of, levels }
}
