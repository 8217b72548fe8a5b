import { Cluster } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { doctor, type Target } from '../../src/doctor/doctor.ts'
import { memory } from '../../src/stores/memory.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startCluster } from '../support/redis-cluster.ts'
import { examine, over, patient, ward } from './support/ward.ts'

const { server, redis, connect, asUser, gatewayTo, later, end } = await ward({
  justenough: '~ratelimit:* +eval +evalsha +get +set +incrby +pttl +pexpire',
})
afterAll(end)

const HEALTHY = {
  reachability: 'ok',
  authentication: 'ok',
  write: 'ok',
  script: 'ok',
  counting: 'ok',
  locking: 'ok',
  latency: 'ok',
  errors: 'ok',
  retries: 'ok',
  expiry: 'ok',
  clock: 'ok',
  memory: 'info',
  eviction: 'ok',
  evicted: 'ok',
  keys: 'ok',
}

describe('a healthy store is found well, and left as it was', () => {
  test('over TCP', async () => {
    await redis.mset('ratelimit:a', 1, 'ratelimit:b', 1, 'shop:c', 1)
    const before = await redis.keys('*')
    const report = await examine(over(redis), { ...patient, address: server.url })
    expect(report.levels).toEqual({ tls: 'ok', ...HEALTHY })
    expect(report).toMatchObject({ ok: true, level: 'info', latency: { probes: 20 } })
    expect(report.of.keys?.says).toBe('2 keys begin with "ratelimit:".')
    expect((await redis.keys('*')).sort()).toEqual(before.sort())
    await redis.del(...before)
  })

  test('behind the gateway, with less than the 50 requests of a free Worker', async () => {
    const gateway = await gatewayTo(server.url)
    const report = await examine(gateway, patient)
    expect(report.levels).toEqual({ tls: 'ok', ...HEALTHY })
    expect(report.of.locking?.says).toMatch(/one script at a time/)
    expect(gateway.seen.requests).toBeLessThanOrEqual(50)
    expect(await redis.dbsize()).toBe(0)
  })

  test('with locks by key, as Upstash has them', async () => {
    const { url, token } = await gatewayTo(server.url, { upstash: true })
    const database = 'https://eu1-calm-1234.upstash.io'
    const arrive: typeof fetch = (input, init) => fetch(`${input}`.replace(database, url), init)
    const { of } = await examine({ url: database, token }, { ...patient, fetch: arrive })
    expect(of.locking?.says).toMatch(/lock only their own keys/)
  })

  test('behind a gateway that lets pass no more than limiting needs', async () => {
    const { ok, levels, of } = await examine(await gatewayTo(server.url, { allow: [] }), patient)
    expect(ok).toBe(true)
    const closed = { memory: 'info', eviction: 'info', evicted: 'info', keys: 'info' }
    expect(levels).toEqual({ tls: 'ok', ...HEALTHY, ...closed })
    expect(of.memory?.says).toBe('Not checked: this token or user may not use INFO.')
    expect(await redis.dbsize()).toBe(0)
  })

  test('by a user who may do just what counting needs, and not even delete', async () => {
    const { ok, levels } = await examine(over(connect(asUser('justenough'))), patient)
    expect(ok).toBe(true)
    expect(levels).toMatchObject({ counting: 'ok', expiry: 'ok', clock: 'info', keys: 'info' })
    expect(await redis.dbsize()).toBe(0)
  })

  test('as any store, of which only what a store shows is looked at', async () => {
    const shown = {
      reachability: 'ok',
      counting: 'ok',
      latency: 'ok',
      errors: 'ok',
      retries: 'ok',
      expiry: 'ok',
    }
    expect((await examine(memory(), patient)).levels).toEqual(shown)
    const store = upstash(await gatewayTo(server.url))
    expect((await examine(store, patient)).levels).toEqual(shown)
    await redis.flushall()
  })
})

test('nothing is left behind, whichever command fails', async () => {
  const all = over(redis)
  for (let failing = 1; ; failing++) {
    let sent = 0
    const report = await examine(
      async (command) => {
        if (++sent === failing) throw new Error('ERR an error of the tests')
        return all(command)
      },
      { ...patient, probes: 3 },
    )
    expect(await redis.dbsize()).toBe(0)
    if (sent < failing) {
      expect(report.ok).toBe(true)
      expect(failing).toBeGreaterThan(15)
      return
    }
  }
})

test('a cluster is named as such, and a client for a single server that meets it a failure', async () => {
  const cluster = await startCluster()
  later(() => cluster.stop())
  const [{ host, port } = { host: '', port: 0 }] = cluster.nodes
  const client = new Cluster([{ host, port }])
  later(() => client.disconnect())
  const { ok, levels } = await examine(over(client), patient)
  expect({ ok, cluster: levels.cluster }).toEqual({ ok: true, cluster: 'info' })

  // The key of a probe is random, and so is the node that holds it.
  const one = over(connect(`redis://${host}:${port}`))
  for (let attempt = 0; attempt < 30; attempt++) {
    const { script } = (await examine(one, { ...patient, probes: 1 })).of
    if (script?.level !== 'failure') continue
    expect(script.remedy).toContain('connect with a cluster client')
    return
  }
  expect.unreachable('one node had every key')
})

test('options that cannot work are refused by name', async () => {
  const refused = (options: object, target: unknown = memory()) =>
    expect(doctor(target as Target, options)).rejects
  await refused({ probs: 1 }).toThrow(/^doctor\.probs: expected .+, got an unknown option/)
  await refused({ probes: 0 }).toThrow(/^probes: expected a whole number from 1 to 1000.*, got 0/)
  await refused({ maxMemory: 80 }).toThrow(/^maxMemory: expected a fraction from 0 to 1.*, got 80/)
  await refused({ timeout: 'soon' }).toThrow(/^timeout: expected .+, got "soon"/)
  await refused({ address: 'somewhere' }).toThrow(/^address: expected .+, got another string/)
  await refused({}, 'redis://localhost').toThrow(/^doctor: expected .+, got a URL/)
  await refused({}, { url: 'redis://x', token: 't' }).toThrow(
    /^url: expected .+, got a URL for TCP/,
  )
})
