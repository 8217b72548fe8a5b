/** `tidegate cost`: flags, prices, and what it simulates. */
import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { readCostFlags } from '../../src/cli/cost-flags.ts'
import { formatEstimate } from '../../src/cli/cost-table.ts'
import { estimate } from '../../src/cost/estimate.ts'
import {
  durableObjects,
  fixedPlan,
  freePlan,
  type Load,
  node,
  nodeThroughput,
  payAsYouGo,
} from '../../src/cost/monthly.ts'
import { ASSUMED, DURABLE_OBJECTS, ELASTICACHE, UPSTASH } from '../../src/cost/prices.ts'
import { sampleOf } from '../../src/cost/sample.ts'
import type { Traffic } from '../../src/cost/traffic.ts'

// Simulations share the machine with other tests.
vi.setConfig({ testTimeout: 30_000 })

const DAY_MS = 86_400_000

const read = (flags: string) => readCostFlags(flags.split(' ').filter(Boolean))

/** A request a second on average. */
const TRAFFIC: Traffic = {
  requests: 2_628_000,
  clients: 20_000,
  limit: 100,
  window: 60_000,
  lease: false,
  isolates: 1,
  visit: 20,
  stay: 0,
}

describe('the flags of tidegate cost', () => {
  test('name the traffic of a month, and have defaults for how clients come', () => {
    expect(read('--requests 30M --clients 200k --policy 100/1m')).toEqual({
      json: false,
      traffic: {
        requests: 30_000_000,
        clients: 200_000,
        limit: 100,
        window: 60_000,
        lease: false,
        isolates: 50,
        visit: 20,
        stay: 10_000,
      },
    })
    const more = '--lease --isolates 3 --visit 2 --stay 0 --json'
    expect(read(`--requests 1.5b --clients 7 --policy 2k/1d ${more}`)).toEqual({
      json: true,
      traffic: {
        requests: 1_500_000_000,
        clients: 7,
        limit: 2000,
        window: DAY_MS,
        lease: true,
        isolates: 3,
        visit: 2,
        stay: 0,
      },
    })
  })

  test('give visits no more requests than a client sends', () => {
    expect(read('--requests 70 --clients 10 --policy 1/1m').traffic.visit).toBe(7)
  })

  test.each([
    ['', /^--requests: expected a whole number from 1 to 100B, such as 500.*, got nothing$/],
    ['--requests many', /^--requests: expected a whole number.*, got "many"$/],
    ['--requests 1.5', /^--requests: .*, got "1.5"$/],
    ['--requests 101B', /^--requests: .*, got "101B"$/],
    ['--requests 9', /^--clients: .*, got nothing$/],
    ['--requests 9 --clients 10', /^--clients: expected at most as many clients as requests/],
    ['--requests 9 --clients 9', /^--policy: expected a limit and a window.*, got nothing$/],
    ['--policy 100', /^--policy: expected a limit and a window, such as 100\/1m, got "100"$/],
    ['--policy 0/1m', /^the limit of --policy: expected a whole number.*, got "0"$/],
    ['--policy 9/soon', /^the window of --policy: expected a duration.*, got "soon"$/],
    ['--policy 9/31d', /^the window of --policy: expected at most 30d, got "31d"$/],
    ['--visit 0', /^--visit: expected a whole number from 1 to 1k/],
    ['--visit 11', /^--visit: expected at most the 10 requests that a client sends in a month/],
    ['--isolates 10001', /^--isolates: expected a whole number from 1 to 10k/],
    ['--stay long', /^--stay: expected a duration.*, got "long"$/],
    ['--frob', /^Unknown option '--frob'/],
  ])('are explained if they are wrong: %s', (flags, message) => {
    const good = /--(policy|visit|isolates|stay|frob)/.test(flags)
    const rest = '--requests 100 --clients 10 --policy 9/1m'
    expect(() => read(good ? `${rest} ${flags}` : flags)).toThrow(message)
  })
})

describe('the prices of a month', () => {
  const load = (more: Partial<Load>): Load => ({ commands: 0, calls: 0, keys: 0, ...more })

  test('have a source and a month', () => {
    for (const { source, read } of [UPSTASH, DURABLE_OBJECTS, ELASTICACHE]) {
      expect(source).toMatch(/^https:\/\//)
      expect(read).toMatch(/^20\d\d-(0[1-9]|1[0-2])$/)
    }
  })

  test('of Upstash go by commands, then by what is stored and sent', () => {
    expect(payAsYouGo(load({ commands: 100_000 }))?.usd).toBeCloseTo(0.2)
    expect(payAsYouGo(load({ commands: 30_000_000 }))?.usd).toBeCloseTo(60)
    // A GB of keys and 200 GB of traffic are free.
    expect(payAsYouGo(load({ keys: 8_333_333, calls: 200_000_000 }))?.usd).toBeCloseTo(0)
    expect(payAsYouGo(load({ keys: 25_000_000 }))?.usd).toBeCloseTo(0.5)
    expect(payAsYouGo(load({ calls: 300_000_000 }))?.usd).toBeCloseTo(3)
  })

  test('of a fixed plan are those of the smallest that suffices', () => {
    expect(fixedPlan(load({ commands: 1e9, keys: 2_083_333 }))).toEqual({ usd: 10, plan: '250 MB' })
    expect(fixedPlan(load({ keys: 2_083_334 }))).toEqual({ usd: 20, plan: '1 GB' })
    expect(fixedPlan(load({ calls: 50_000_001 }))).toEqual({ usd: 20, plan: '1 GB' })
    expect(fixedPlan(load({ calls: 1e12 }))).toBeUndefined()
  })

  test('of Upstash end at 10,000 commands a second', () => {
    const many = load({ commands: 10_001 * 2_628_000 })
    expect([payAsYouGo(many), fixedPlan(many)]).toEqual([undefined, undefined])
  })

  test('are nothing within the free plan', () => {
    const most = { commands: 500_000, keys: 2_133_333, calls: 10_000_000 }
    expect(freePlan(load(most))).toEqual({ usd: 0 })
    for (const more of [{ commands: 500_001 }, { keys: 2_133_334 }, { calls: 10_000_001 }]) {
      expect(freePlan(load({ ...most, ...more }))).toBeUndefined()
    }
  })

  test('of Durable Objects go by requests, rows and time, above what is included', () => {
    const usd = (requests: number, rowsWritten: number) =>
      durableObjects({ requests, rowsWritten }, 1000)?.usd
    expect(usd(1_000_000, 50_000_000)).toBe(5)
    expect(usd(11_000_000, 0)).toBeCloseTo(5 + 1.5)
    expect(usd(0, 60_000_000)).toBeCloseTo(5 + 10)
    // 10 ms of 128 MB each.
    expect(usd(1_000_000_000, 0)).toBeCloseTo(5 + 0.15 * 999 + (1.28 - 0.4) * 12.5)
    expect(durableObjects({ requests: 1001 * 2_628_000, rowsWritten: 0 }, 1)).toBeUndefined()
  })

  test('of a server go by the hour, if the keys fit into half of its memory', () => {
    const [micro] = ELASTICACHE.nodes
    expect(node(micro, load({ keys: 2_236_962 }))?.usd).toBeCloseTo(11.68)
    expect(node(micro, load({ keys: 2_236_963 }))).toBeUndefined()
  })

  test('of a server end at the calls that its network carries', () => {
    for (const size of ELASTICACHE.nodes) {
      const { perSecond } = nodeThroughput(size)
      expect(perSecond).toBe(Math.floor((size.gbps * 1e9) / 8 / ASSUMED.bytesPerRedisCall))
      expect(node(size, load({ calls: perSecond * 2_628_000 }))).toBeDefined()
      expect(node(size, load({ calls: perSecond * 2_628_000 + 1 }))).toBeUndefined()
      if (size.name === 'cache.m7g.large') continue
      expect(readFileSync('docs/costs.md', 'utf8')).toContain(perSecond.toLocaleString('en-US'))
    }
  })
})

describe('the sample that is simulated', () => {
  test('is some clients for a month, as long as they send few requests', () => {
    const { scenario, shortened } = sampleOf(TRAFFIC)
    expect(shortened).toBe(false)
    expect(scenario).toMatchObject({ limit: 100, window: 60_000, duration: 730 * 3_600_000 })
    const perClient = TRAFFIC.requests / TRAFFIC.clients
    expect((scenario.rate / scenario.keys) * 2_628_000).toBeCloseTo(perClient)
    expect(scenario.keys * perClient).toBeGreaterThan(25_000)
  })

  test('is whole windows of one client that sends many', () => {
    const { scenario } = sampleOf({ ...TRAFFIC, clients: 1 })
    expect(scenario).toMatchObject({ keys: 1, rate: 1, duration: 500 * 60_000 })
  })

  test('has a shorter window and limit, in proportion, if a window has too many requests', () => {
    const { scenario, shortened } = sampleOf({
      ...TRAFFIC,
      requests: 2_628_000 * 1000,
      clients: 1,
      limit: 864_000,
      window: DAY_MS,
    })
    expect(shortened).toBe(true)
    expect(scenario).toMatchObject({ limit: 3000, window: 300_000, duration: 300_000 })
  })
})

describe('an estimate', () => {
  const commandsOf = async (more: Partial<Traffic>) => {
    const { usages, oneIsolate, anyIsolate } = await estimate({ ...TRAFFIC, ...more })
    const { tidegate, upstash, getSet } = usages
    const all = { tidegate, upstash, getSet, oneIsolate, anyIsolate }
    return Object.fromEntries(
      Object.entries(all).map(([name, usage]) => [name, usage.commandsPerRequest]),
    ) as Record<keyof typeof all, number>
  }

  test('counts two commands for a visit and one for each request, in one isolate', async () => {
    const { tidegate, upstash, getSet, oneIsolate, anyIsolate } = await commandsOf({})
    expect(tidegate).toBeCloseTo(1 + 2 / 20, 1)
    expect(upstash).toBeCloseTo(2, 1)
    expect(getSet).toBeCloseTo(2, 1)
    expect([oneIsolate, anyIsolate]).toEqual([tidegate, tidegate])
  })

  test('lies between that of one isolate for ever and that of any for each request', async () => {
    const { tidegate, oneIsolate, anyIsolate } = await commandsOf({ isolates: 50, stay: 1000 })
    expect(oneIsolate).toBeLessThan(1.2)
    expect(tidegate).toBeGreaterThan(oneIsolate)
    expect(anyIsolate).toBeGreaterThan(tidegate)
    expect(anyIsolate).toBeLessThan(3)
  })

  test('stores the keys of one window, not those of all clients', async () => {
    const many = { ...TRAFFIC, requests: 100_000_000, clients: 50_000_000 }
    const fixed = async (window: number) => {
      const { offers } = await estimate({ ...many, window })
      return offers.find(({ place }) => place.includes('fixed'))?.prices.tidegate?.plan
    }
    expect(await fixed(60_000)).toBe('1 GB')
    expect(await fixed(30 * DAY_MS)).toBe('10 GB')
  })

  test('shows what a lease saves for a hot client', async () => {
    const hot = { requests: 100 * 2_628_000, clients: 1, limit: 100_000, visit: 1 }
    const [strict, lease] = [await commandsOf(hot), await commandsOf({ ...hot, lease: true })]
    expect(strict.tidegate).toBeGreaterThan(1)
    expect(lease.tidegate).toBeLessThan(0.05)
    expect(lease.upstash).toBe(strict.upstash)
  })

  test('names the places that are too slow, and has no price of them', async () => {
    const busy = { ...TRAFFIC, requests: 26_280_000_000, clients: 1_000_000 }
    const found = await estimate({ ...busy, visit: 1 })
    const priceOf = (name: string) => found.offers.find(({ place }) => place === name)?.prices
    expect(priceOf('Upstash, pay as you go')).toEqual({
      tidegate: null,
      upstash: null,
      getSet: null,
    })
    // 10,000 calls a second pass, 20,000 do not.
    const { tidegate, getSet } = priceOf('ElastiCache cache.t4g.micro') ?? {}
    expect([tidegate?.usd, getSet]).toEqual([expect.closeTo(11.68), null])
    const text = formatEstimate(found).replaceAll(/(?<=\S)\n(?=\S)/g, ' ')
    expect(text).toMatch(
      /Too slow for this traffic:\s+Upstash, free; Upstash, pay as you go; .*: at most 10,000 commands a second; needed on average: Tidegate \d\d,\d{3}; /,
    )
    expect(text).toMatch(
      /\sElastiCache cache\.t4g\.micro; ElastiCache cache\.t3\.micro: at most 16,000 calls a second; needed on average: GET, then SET \d\d,\d{3}\.\s/,
    )
    const quiet = formatEstimate(await estimate({ ...TRAFFIC, requests: 20_000, clients: 1000 }))
    expect(quiet).not.toContain('Too slow')
  })

  test('is printed within 100 columns', async () => {
    const found = await estimate({ ...TRAFFIC, requests: 20_000, clients: 1000 })
    const text = formatEstimate(found).replaceAll(/(?<=\S)\n(?=\S)/g, ' ')
    for (const line of formatEstimate(found).split('\n')) {
      expect(line.length).toBeLessThanOrEqual(100)
    }
    expect(text).toMatch(/^20,000 requests a month from 1,000 clients, 100 per 1m\n/)
    expect(text).toMatch(/\sUpstash, free +\$0\.00 +\$0\.00 +\$0\.00\s/)
    expect(text).toMatch(/ Upstash through Vercel \(assumed\) +\$0\.0\d/)
    expect(text).toMatch(/ Durable Objects +\$5\.00 +– +– /)
    expect(text).toContain(
      'Assumed: visits of 20 requests; one isolate (--visit, --isolates, --stay).',
    )
    expect(text).toMatch(/, read 2026-\d\d to 2026-\d\d\./)
  })
})
