import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { bundle, NAME, startWorker } from '../../scripts/workerd.ts'
import { systemClock } from '../../src/clock.ts'
import { withDeadline } from '../../src/deadline.ts'
import {
  createLimiter,
  type Demand,
  header,
  ip,
  memory,
  type Settlement,
  StoreError,
} from '../../src/index.ts'
import { objectModel } from '../../src/simulation/object-model.ts'
import { durableObject, type ObjectNamespace } from '../../src/stores/durable-object.ts'
import { manualClock, type Subject, storeConformance } from '../../src/testing/index.ts'
import { able } from '../support/able.ts'
import { startObjects } from '../support/durable-object.ts'
import { startOrigin } from '../support/origin.ts'
import { pause } from '../support/pause.ts'

const objects = await startObjects()
const origin = await startOrigin()
const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
afterAll(async () => {
  await Promise.all([objects.stop(), origin.stop()])
  rmSync(folder, { recursive: true, force: true })
})

const demandOf = (client: string, more: Partial<Demand> = {}): Demand => ({
  policy: 'test',
  client,
  limit: 5,
  window: 60_000,
  cost: 1,
  ...more,
})

describe('store: a Durable Object for each client, whose clock is moved', () => {
  storeConformance({
    test,
    make: (): Subject => ({
      store: objects.storeOf('CLOCKED'),
      elapse: objects.elapse,
      flush: async () => {
        await objects.query('CLOCKED', 'DELETE FROM windows')
        await objects.evict('CLOCKED')
      },
      loseExpiry: () => objects.elapse(-86_400_000),
    }),
    unreachable: () => objects.storeOf('BROKEN'),
  })
})

describe('store: three Durable Objects for all clients, in real time', () => {
  const rewrite = async (text: string) => {
    await objects.query('TIDEGATE', text)
    await objects.evict('TIDEGATE')
  }
  storeConformance({
    test,
    make: (): Subject => ({
      store: objects.storeOf('TIDEGATE', { shards: 3 }),
      elapse: pause,
      flush: () => rewrite('DELETE FROM windows'),
      loseExpiry: () => rewrite('UPDATE windows SET ends_at = 9000000000000000'),
    }),
    unreachable: () => objects.storeOf('BROKEN', { shards: 3 }),
  })

  test('no more objects than that were made', async () => {
    const clients = await objects.query('TIDEGATE', 'SELECT count(*) AS clients FROM windows')
    expect(clients).toHaveLength(3)
  })
})

const call = fc.record({
  client: fc.constantFrom('a', 'b', 'c'),
  demands: fc.uniqueArray(
    fc.record({
      policy: fc.constantFrom('', 'burst', 'hourly'),
      limit: fc.integer({ min: 1, max: 6 }),
      window: fc.constantFrom(1000, 3000),
      cost: fc.integer({ min: 0, max: 4 }),
      reserve: fc.integer({ min: 0, max: 3 }),
      settles: fc.boolean(),
    }),
    { selector: ({ policy }) => policy, minLength: 1 },
  ),
})
const step = fc.oneof(
  { weight: 6, arbitrary: call },
  { weight: 2, arbitrary: fc.constantFrom(1, 999, 1000, 2000, -500).map((wait) => ({ wait })) },
  { weight: 1, arbitrary: fc.constant('evict' as const) },
  // Which of the units taken so far, the last one first.
  { weight: 3, arbitrary: fc.record({ settle: fc.nat(4), used: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ reset: fc.constantFrom('a', 'b') }) },
)

describe('a Durable Object', () => {
  const namings = [
    [{}, (run: string) => ['a', 'b', 'c'].map((client) => `${run}-${client}`)],
    [{ shards: 2 }, () => ['shard-0', 'shard-1']],
  ] as const
  for (const [options, names] of namings) {
    test(`grants what memory grants, with ${JSON.stringify(options)}`, async () => {
      const store = objects.storeOf('CLOCKED', options)
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const clock = manualClock()
          const model = able(memory({ clock }))
          const run = crypto.randomUUID()
          const taken: Settlement[] = []
          let decisions = 0
          for (const next of steps) {
            if (next === 'evict') await objects.evict('CLOCKED', ...names(run))
            else if ('wait' in next) {
              clock.advance(next.wait)
              await objects.elapse(next.wait)
            } else if ('settle' in next) {
              const settlement = taken.at(-1 - next.settle)
              if (settlement === undefined) continue
              const settlements = [{ ...settlement, used: next.used }]
              expect(await store.settle?.(settlements)).toEqual(await model.settle?.(settlements))
            } else if ('reset' in next) {
              const keys = [{ policy: 'burst', client: `${run}-${next.reset}` }]
              await Promise.all([store.reset?.(keys), model.reset?.(keys)])
            } else {
              const id = `decision-${decisions++}`
              const demands = next.demands.map(
                ({ settles, ...demand }): Demand => ({
                  ...demand,
                  cost: Math.min(demand.cost, demand.limit),
                  client: `${run}-${next.client}`,
                  settling: settles ? id : undefined,
                }),
              )
              const grants = await model.take(demands)
              expect(await store.take(demands)).toEqual(grants)
              for (const [index, { windowName, granted }] of grants.entries()) {
                const { policy = '', client = '' } = demands[index] ?? {}
                if (!windowName || granted === 0) continue
                taken.push({ policy, client, id, windowName, reserved: granted, used: 0 })
              }
            }
          }
        }),
        { numRuns: 40, seed: 20261123 },
      )
    })
  }

  test('that was evicted keeps its open window', async () => {
    const client = crypto.randomUUID()
    const store = objects.storeOf('TIDEGATE')
    const [before] = await store.take([demandOf(client, { cost: 4 })])
    await objects.evict('TIDEGATE')
    const [after] = await store.take([demandOf(client)])
    expect(after).toMatchObject({ granted: 1, used: 5 })
    expect(after?.resetIn).toBeLessThanOrEqual(before?.resetIn ?? 0)
    expect((await store.take([demandOf(client)]))[0]?.granted).toBe(0)
  })

  test('keeps its open window when workerd is started again', async () => {
    const client = crypto.randomUUID()
    const used: unknown[] = []
    for (const cost of [3, 2, 1]) {
      const { storeOf, stop } = await startObjects(folder)
      try {
        used.push(...(await storeOf('TIDEGATE').take([demandOf(client, { cost })])))
      } finally {
        await stop()
      }
    }
    expect(used).toMatchObject([
      { granted: 3, used: 3 },
      { granted: 2, used: 5 },
      { granted: 0, used: 5 },
    ])
  })

  /** Asks until the rows are so many, or for five seconds. */
  async function rowsOnce(count: number) {
    for (const end = Date.now() + 5000; ; ) {
      const rows = await objects.query('TIDY', 'SELECT key FROM windows ORDER BY key')
      if (rows.length === count || Date.now() > end) return rows
      await pause(50)
    }
  }

  test('forgets by alarm the windows that have ended, and no other', async () => {
    const store = objects.storeOf('TIDY', { shards: 1 })
    await store.take([demandOf('brief', { window: 300 })])
    await store.take([demandOf('long', { window: 1500 })])
    expect(await rowsOnce(2)).toHaveLength(2)
    expect(await rowsOnce(1)).toEqual([{ key: 'ratelimit:test:long' }])
    expect((await store.take([demandOf('long', { window: 1500 })]))[0]?.used).toBe(2)
    expect(await rowsOnce(0)).toEqual([])
    expect((await store.take([demandOf('long', { window: 300 })]))[0]?.used).toBe(1)
    expect(await rowsOnce(0)).toEqual([])
  })

  test('costs the rows that its comment says', async () => {
    const client = crypto.randomUUID()
    const store = objects.storeOf('METERED')
    const burst = demandOf(client, { policy: 'burst' })
    const hourly = demandOf(client, { policy: 'hourly', limit: 2 })
    const cost = async (...demands: Demand[]) => {
      await store.take(demands)
      return objects.rowsOf(demands[0]?.client ?? '')
    }
    const first = demandOf(crypto.randomUUID())
    expect(await cost(first)).toEqual({ read: 2, written: 3, alarms: 1 })
    expect(await cost({ ...burst, cost: 0 })).toMatchObject({ written: 0, alarms: 0 })
    expect(await cost(burst)).toMatchObject({ written: 3, alarms: 1 })
    expect(await cost(burst)).toEqual({ read: 0, written: 1, alarms: 0 })
    expect(await cost(burst, hourly)).toEqual({ read: 0, written: 2, alarms: 0 })
    expect(await cost(burst, hourly)).toEqual({ read: 0, written: 2, alarms: 0 })
    expect(await cost(burst, hourly)).toEqual({ read: 0, written: 0, alarms: 0 })
    expect(await cost({ ...burst, cost: 0 })).toEqual({ read: 0, written: 0, alarms: 0 })
    await objects.evict('METERED')
    expect(await cost(burst, hourly)).toEqual({ read: 3 + 2, written: 0, alarms: 0 })
    expect(await cost(burst)).toEqual({ read: 0, written: 1, alarms: 0 })
  })

  test('writes the rows that the model of the simulation counts', async () => {
    const store = objects.storeOf('METERED')
    const model = objectModel(systemClock)
    const client = crypto.randomUUID()
    const brief = { policy: 'burst', limit: 2, window: 1000 }
    const steps = [
      [{ cost: 0 }],
      [{}],
      [{}],
      [{}, brief],
      [brief],
      [brief],
      [{ cost: 2 }],
      [{}],
      [{ cost: 0 }],
      'pause',
      [brief],
      [{}, brief],
    ] as const
    for (const step of steps) {
      if (step === 'pause') {
        await pause(1300)
        continue
      }
      const demands = step.map((more) => demandOf(client, more))
      const before = model.bill().rowsWritten
      const granted = (await store.take(demands)).map((grant) => grant.granted)
      expect(model.take(demands).map((grant) => grant.granted)).toEqual(granted)
      const { written, alarms } = await objects.rowsOf(client)
      expect(model.bill().rowsWritten - before).toBe(written + alarms)
    }
  })
})

const POLICIES = [{ name: 'exact', limit: 100, window: '1m' }]

describe('the Worker with the binding TIDEGATE', () => {
  const variables = { ORIGIN_URL: origin.url, POLICIES }

  test('lets exactly 100 of 1,000 requests at once pass, over four isolates', async () => {
    // That a check may wait longer than a second keeps the deadline out of it: a thousand requests
    // and their origin share this machine's few cores.
    const contents = `
      import { front } from './src/worker.ts'
      export { TidegateObject } from './src/worker.ts'
      export default front({ timeout: '30s' })`
    const stdin = { contents, loader: 'ts', resolveDir: process.cwd() } as const
    const { server, stop } = await startWorker({
      script: await bundle({ stdin }),
      env: variables,
      objects: { TIDEGATE: 'TidegateObject' },
      isolates: 4,
    })
    try {
      const names = [NAME, `${NAME}-2`, `${NAME}-3`, `${NAME}-4`]
      const isolates = (await Promise.all(
        names.map((name) => server.getWorker(name)),
      )) as unknown as readonly Pick<typeof globalThis, 'fetch'>[]
      const headers = { 'cf-connecting-ip': '203.0.113.9' }
      const before = origin.requests.length
      const responses = await Promise.all(
        Array.from({ length: 1000 }, async (_, index) => {
          const response = await isolates[index % 4]?.fetch('http://gate/', { headers })
          await response?.arrayBuffer()
          return response
        }),
      )
      const statuses = responses.map((response) => response?.status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(100)
      expect(statuses.filter((status) => status === 429)).toHaveLength(900)
      expect(origin.requests.length - before).toBe(100)
      for (const isolate of [0, 1, 2, 3]) {
        const own = statuses.filter((status, index) => index % 4 === isolate && status === 200)
        expect(own.length).toBeLessThan(100)
      }
      expect(await server.listDurableObjectIds('TIDEGATE')).toHaveLength(1)
    } finally {
      await stop()
    }
  })

  test('answers 500 while its policies count different clients', async () => {
    const script = await bundle({ entryPoints: ['src/worker.ts'] })
    const [policy] = POLICIES
    const other = { ...policy, name: 'keys', client: { header: 'x-api-key' } }
    const env = { ...variables, POLICIES: [policy, other] }
    const worker = await startWorker({ script, env, objects: { TIDEGATE: 'TidegateObject' } })
    try {
      expect((await worker.fetch('/')).status).toBe(500)
    } finally {
      await worker.stop()
    }
  })

  test('counts there beside what is left over of a store and names none', async () => {
    const script = await bundle({ entryPoints: ['src/worker.ts'] })
    const left = {
      ...{ KV_REST_API_READ_ONLY_TOKEN: 'r', UPSTASH_REDIS_URL: 'rediss://db.upstash.io:6379' },
      ...{ UPSTASH_REDIS_REST_URL: ' ', UPSTASH_REDIS_REST_TOKEN: ' ' },
    }
    const env = { ...variables, ...left }
    const worker = await startWorker({ script, env, objects: { TIDEGATE: 'TidegateObject' } })
    try {
      expect((await worker.fetch('/')).headers.get('ratelimit')).toMatch(/^"exact";r=99;/)
      expect(await worker.server.listDurableObjectIds('TIDEGATE')).toHaveLength(1)
    } finally {
      await worker.stop()
    }
  })

  test('without it counts in memory', async () => {
    const script = await bundle({ entryPoints: ['src/worker.ts'] })
    const worker = await startWorker({ script, env: variables })
    try {
      expect((await worker.fetch('/')).headers.get('ratelimit')).toMatch(/^"exact";r=99;/)
    } finally {
      await worker.stop()
    }
  })
})

/** A binding whose objects do what `take` does. */
const binding = (take: () => Promise<unknown>): ObjectNamespace => ({
  idFromName: () => ({}),
  get: () => ({ take }),
})
const idle = binding(async () => [])

describe('durableObject()', () => {
  const wrong = [
    ['no binding', undefined, {}, /^namespace: expected the binding.*, got nothing/],
    ['a variable', 'TIDEGATE', {}, /^namespace: expected the binding.*, got "TIDEGATE"/],
    ['all of env', { TIDEGATE: idle }, {}, /^namespace: expected .+, got an object/],
    ['no shards', idle, { shards: 0 }, /^shards: expected a whole number.*, got 0/],
    ['half a shard', idle, { shards: 1.5 }, /^shards: expected a whole number.*, got 1\.5/],
    [
      'an unknown place',
      idle,
      { locationHint: 'mars' },
      /^locationHint: expected one of wnam.*, got "mars"/,
    ],
    [
      'an unknown option',
      idle,
      { shard: 2 },
      /^durableObject\.shard: expected .+, got an unknown option/,
    ],
  ] as const
  for (const [name, namespace, options, message] of wrong) {
    test(`with ${name} is an error that says what is wanted`, () => {
      const make = () => durableObject(namespace as never, options as never)
      expect(make).toThrow(message)
    })
  }

  test('says what wrangler.toml has to hold', () => {
    expect(() => durableObject(undefined as never)).toThrow(/class_name.*new_sqlite_classes/)
  })

  test('under policies that count different clients is an error at construction', () => {
    const policies = [
      { name: 'a', limit: 1, window: '1s', client: ip() },
      { name: 'b', limit: 1, window: '1s', client: header('x-api-key') },
    ] as const
    const make = () => createLimiter({ policies, store: durableObject(idle) })
    expect(make).toThrow(/^policies: expected the same `client` in every policy/)
  })

  test('asked for different clients at once charges none and names none', async () => {
    const demands = [demandOf('first-client'), demandOf('second-client')]
    const error: unknown = await durableObject(idle)
      .take(demands)
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'rejected' })
    expect(`${error}`).not.toMatch(/first-client|second-client/)
    const store = objects.storeOf('TIDEGATE', { shards: 1 })
    await expect(store.take(demands)).rejects.toThrow(StoreError)
    for (const demand of demands) expect((await store.take([demand]))[0]?.used).toBe(1)
  })

  test('hands the hint on, and asks the object of the client or of its shard', async () => {
    const asked: unknown[] = []
    const namespace: ObjectNamespace = {
      idFromName: (name) => ({ name }),
      get: (id, options) => {
        asked.push(id, options)
        return { take: async () => [{ granted: 1, used: 1, resetIn: 1, retryIn: 0 }] }
      },
    }
    await durableObject(namespace).take([demandOf('a')])
    await durableObject(namespace, { locationHint: 'weur' }).take([demandOf('b')])
    await durableObject(namespace, { shards: 1 }).take([demandOf('c')])
    const place = { locationHint: 'weur' }
    expect(asked).toEqual([
      { name: 'a' },
      undefined,
      { name: 'b' },
      place,
      { name: 'shard-0' },
      undefined,
    ])
  })

  const failures = [
    [{ overloaded: true, retryable: true }, 'rejected', 'overloaded'],
    [{ retryable: true }, 'unreachable', 'the next check may succeed'],
    [{ remote: true }, 'rejected', 'gone wrong'],
    [{}, 'unreachable', 'gone wrong'],
  ] as const
  for (const [flags, code, told] of failures) {
    test(`whose call fails with ${JSON.stringify(flags)} throws ${code}`, async () => {
      const failure = Object.assign(new Error('gone wrong for me@example.com'), flags, {
        durableObjectId: 'c0ffee',
      })
      const store = durableObject(binding(() => Promise.reject(failure)))
      const error: unknown = await store
        .take([demandOf('me@example.com')])
        .catch((thrown) => thrown)
      if (!(error instanceof StoreError)) throw new Error(`threw ${error}`)
      expect(error.code).toBe(code)
      expect(error.message).toContain(told)
      const all = `${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause)} ${error.cause}`
      expect(all).not.toMatch(/me@example|c0ffee/)
    })
  }

  for (const answer of [undefined, 'x', [], [null], [{}]]) {
    test(`whose object answers ${JSON.stringify(answer)} throws`, async () => {
      const taken = durableObject(binding(async () => answer)).take([demandOf('a')])
      await expect(taken).rejects.toMatchObject({ code: 'rejected' })
    })
  }

  test('whose call fails after its caller has gone leaves nothing unhandled', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    let fail = () => {}
    const late = new Promise<never>((_, reject) => {
      fail = () => reject(new Error('late'))
    })
    const store = durableObject(binding(() => late))
    const taking = withDeadline(5, (signal) => store.take([demandOf('a')], { signal }))
    await expect(taking).rejects.toMatchObject({ code: 'timeout' })
    fail()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})
