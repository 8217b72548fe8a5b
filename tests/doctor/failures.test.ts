import { createServer, type Server } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import type { Send } from '../../src/doctor/doctor.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { freePort, listenLocally } from '../support/listen.ts'
import { startOrigin } from '../support/origin.ts'
import { passTime } from '../support/pass-time.ts'
import { pause } from '../support/pause.ts'
import { virtualTime } from './support/virtual-time.ts'
import { examine, over, PASSWORD, patient, ward } from './support/ward.ts'

const { server, redis, connect, spawn, asUser, gatewayTo, later, end } = await ward({
  reader: '~* +@read +@connection +info',
  scriptreader: '~* +@read +@connection +@scripting +info',
  noscripts: '~* +@read +@write +@connection +info',
  otherkeys: '~shop:* +@all',
})
afterAll(end)

describe('who may not write is told why', () => {
  test('by a wrong token', async () => {
    const { url } = await gatewayTo(server.url)
    const report = await examine({ url, token: 'a-token-that-was-rotated' })
    expect(report.levels).toEqual({ tls: 'ok', reachability: 'ok', authentication: 'failure' })
    expect(report.of.authentication).toMatchObject({
      says: 'The store rejects this token.',
      remedy: expect.stringContaining('Copy the URL and token of the same database'),
    })
  })

  test('by a wrong password', async () => {
    const client = new Redis(asUser('reader').replace(PASSWORD, 'a-wrong-password'), {
      lazyConnect: true,
      retryStrategy: () => null,
    })
    later(() => client.disconnect())
    const reason = new Promise<never>((_, reject) => client.once('error', reject))
    reason.catch(() => {})
    const { levels, of } = await examine(([name = '', ...args]) =>
      Promise.race([reason, client.call(name, ...args).catch(() => reason)]),
    )
    expect(levels).toEqual({ reachability: 'ok', authentication: 'failure' })
    expect(of.authentication?.remedy).toContain('redis://user:password@host:port')
  })

  for (const [user, kind] of [
    ['reader', ''],
    ['scriptreader', ' that may run scripts'],
  ] as const) {
    test(`by a read-only user${kind}, over TCP and behind a gateway`, async () => {
      const gateway = await gatewayTo(asUser(user))
      for (const target of [over(connect(asUser(user))), gateway]) {
        const { levels, of } = await examine(target)
        expect(levels).toMatchObject({ authentication: 'ok', write: 'failure', memory: 'info' })
        expect(of.write?.says).toMatch(/^This is a read-only (user\.|token, or)/)
        expect(of.write?.remedy).toContain('+eval +evalsha +get +set +incrby +pttl +pexpire')
      }
      const { of } = await examine(gateway)
      expect(of.write?.remedy).toContain('never …READ_ONLY_TOKEN')
    })
  }

  test('by a user without scripts, or without our keys', async () => {
    const scripts = await examine(over(connect(asUser('noscripts'))))
    expect(scripts.of.script).toMatchObject({
      level: 'failure',
      says: 'This token or user may write, but not run scripts.',
    })
    const keys = await examine(over(connect(asUser('otherkeys'))))
    expect(keys.of.write?.says).toBe('This user may not access keys that begin with "ratelimit:".')
    expect((await examine(over(connect(asUser('otherkeys'))), { prefix: 'shop:limit' })).ok).toBe(
      true,
    )
    expect(await redis.dbsize()).toBe(0)
  })

  test('by a replica', async () => {
    const replica = await spawn({ args: ['--replicaof', `127.0.0.1 ${await freePort()}`] })
    const { of } = await examine(over(connect(replica.url)))
    expect(of.write).toMatchObject({
      level: 'failure',
      says: 'This is a read-only replica.',
      remedy: expect.stringContaining('Connect to the primary'),
    })
  })
})

describe('a store that does not answer costs a bounded time', () => {
  const unreachable = { reachability: 'failure' }

  test('when it is stopped: over TCP, over HTTP, behind a gateway', async () => {
    const port = await freePort()
    const stopped = await spawn({ port })
    const gateway = await gatewayTo(stopped.url)
    await stopped.stop()
    const nobody = { url: `http://127.0.0.1:${port}`, token: 'token-of-nobody' }
    for (const target of [over(connect(stopped.url)), nobody, gateway]) {
      const { levels, of, took } = await examine(target)
      expect(levels).toMatchObject(unreachable)
      expect(of.reachability?.says).toMatch(/^The store cannot be reached: .*Nothing else/)
      expect(took).toBeLessThan(2500)
    }
    expect((await examine(gateway)).of.reachability?.says).toContain('HTTP 503')
  })

  test('when it takes the connection and never answers', async () => {
    const silent: Server = createServer(() => {})
    const port = await listenLocally(silent)
    later(() => silent.close())
    const http = { url: `http://127.0.0.1:${port}`, token: 'token-of-silence' }
    for (const target of [over(connect(`redis://127.0.0.1:${port}`)), http]) {
      const { levels, of, took } = await examine(target, { timeout: 100 })
      expect(levels).toMatchObject(unreachable)
      expect(of.reachability?.says).toMatch(/^The store hangs: no answer within 100 ms/)
      expect(took).toBeLessThan(1500)
    }
  })

  test('when it is silent from the start: 2 s', async () => {
    const { doctor, silence } = virtualTime()
    const target = () => silence(2000)
    for (const silent of [target, { take: target }]) {
      const { levels, of, took } = await examine(silent, {}, doctor)
      expect(levels).toEqual(unreachable)
      expect(of.reachability?.says).toMatch(/^The store hangs: no answer within 2000 ms\. Nothing/)
      expect(took).toBe(2000)
    }
  })

  test('when it falls silent half way, and the report says which check timed out', async () => {
    const all = over(redis)
    for (const [silentFrom, check] of [
      [2, 'script'],
      [12, 'errors'],
    ] as const) {
      const { doctor, silence } = virtualTime()
      let sent = 0
      const target: Send = (command) => (++sent < silentFrom ? all(command) : silence(2000))
      const { of, took } = await examine(target, {}, doctor)
      expect(of[check]?.says).toMatch(/timed out/)
      expect(of.clock?.says).toMatch(/timed out|Not checked/)
      expect(of.keys?.says).toMatch(/timed out|Not checked/)
      expect(of.cleanup?.says ?? 'nothing was written').toMatch(/expire within|nothing/)
      expect(took).toBeLessThanOrEqual(10_000)
    }
    await redis.flushall()
  })

  test('when each answer takes long, and the last checks say that they did not run', async () => {
    const { clock, doctor } = virtualTime()
    const fast = memory({ clock })
    const slow: Store = {
      async take(demands) {
        await new Promise<void>((resolve) => clock.timer(1500, resolve))
        return fast.take(demands)
      },
    }
    const { of, took } = await passTime(clock, examine(slow, {}, doctor))
    expect(of.counting?.level).toBe('ok')
    expect(of.expiry?.says).toBe('Not checked: the time for all checks is used up.')
    // Of the 10 s, 2 s are kept for the deletion of the probes.
    expect(took).toBe(8000)
  })
})

describe('a store that counts wrongly is a failure', () => {
  const failing = async (store: Store) => (await examine(store, patient)).of

  test('since it grants everything, or reads and then writes', async () => {
    const { counting } = await failing({
      take: async (demands) =>
        demands.map(() => ({ granted: 1, used: 1, resetIn: 1000, retryIn: 0 })),
    })
    expect(counting).toMatchObject({
      level: 'failure',
      says: 'The store granted more than the limit.',
    })

    const honest = memory()
    const racing = await failing({
      async take(demands) {
        const looks = await honest.take(demands.map((demand) => ({ ...demand, cost: 0 })))
        const fits = demands.every(({ limit, cost }, i) => (looks[i]?.used ?? 0) + cost <= limit)
        await pause(5)
        if (!fits) return honest.take(demands)
        return (await honest.take(demands.map((demand) => ({ ...demand, limit: 100 })))).map(
          (grant) => ({ ...grant, used: Math.min(grant.used, 1) }),
        )
      },
    })
    expect(racing.counting?.says).toBe(
      'The store granted 3 of three concurrent calls, and the limit was 1.',
    )
  })

  test('since its windows never end', async () => {
    const { clock, doctor } = virtualTime()
    const examining = examine(memory({ clock: () => 1 }), {}, doctor)
    const { expiry } = (await passTime(clock, examining)).of
    expect(expiry).toMatchObject({ level: 'failure', says: expect.stringContaining('still open') })
  })

  test('since what is between repeats commands', async () => {
    const all = over(redis)
    const target: Send = async (command) => {
      if (command[0] === 'INCRBY') await all(command)
      return all(command)
    }
    const { of } = await examine(target, patient)
    expect(of.retries?.says).toBe(
      '20 takes were sent and 39 were counted: something between this code and the server repeats them.',
    )
    expect(await redis.dbsize()).toBe(0)
  })
})

test('an error that quotes the command or the token is shown without them', async () => {
  const token = 'a-token-that-comes-back'
  const echo = await startOrigin(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const said = `ERR ${request.headers.authorization} sent ${body.replaceAll('"', '')}`
    response
      .writeHead(400)
      .end(JSON.stringify({ error: body === '["PING"]' ? undefined : said, result: 1 }))
  })
  later(() => echo.stop())
  const { of } = await examine({ url: echo.url, token })
  expect(of.script?.says).toContain('ERR Bearer … sent')
})

test('an error that quotes codes in its text is told by its own', async () => {
  const words = 'no such thing as OOM MISCONF READONLY NOAUTH NOPERM'
  for (const [code, check, remedy] of [
    ['ERR', 'script', /Search the log/],
    ['LOADING', 'script', /is loading its data set/],
    ['MISCONF', 'write', /cannot save to its disk/],
    ['READONLY', 'write', /Connect to the primary/],
  ] as const) {
    const target: Send = async ([name]) => {
      if (name === 'PING') return 'PONG'
      throw Object.assign(new Error(`${code} ${words}`), { name: 'ReplyError' })
    }
    const { of } = await examine(target, patient)
    expect(of[check]).toMatchObject({ level: 'failure', remedy: expect.stringMatching(remedy) })
  }
})
