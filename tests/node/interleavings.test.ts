import { describe, expect, test } from 'vitest'
import type { Timer } from '../../src/clock.ts'
import type { Life } from '../../src/simulation/life.ts'
import { redisModel } from '../../src/simulation/redis-model.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import type { Demand, Grant } from '../../src/stores/store.ts'
import { allLease, isolate as isolateOf } from '../support/guarded.ts'
import { everyInterleaving, type Step, type World } from '../support/interleavings.ts'
import { type Sent, wiredClient } from '../support/redis-wire.ts'

const WINDOW = 60_000
const KEY = 'k:a'

interface Scenario {
  readonly limit: number
  /** How many checks each isolate makes, after one that showed it the window. */
  readonly checks: readonly number[]
  readonly reserve?: number
  /** Whether isolates lease. Each has then asked often enough for the client to be hot there. */
  readonly leases?: boolean
  /** To when time may jump, one after the other at any moment: in ms since the window began. */
  readonly times?: readonly number[]
  /** Whether the key may be lost once, at any moment. */
  readonly evict?: boolean
  /** Whether the first isolate may die once, at any moment. */
  readonly die?: boolean
  /** How many of its questions the first isolate may give up on, at any moment. */
  readonly timeouts?: number
}

/** Isolates that check one client against one Redis, whose every step somebody else decides. */
function worldOf(scenario: Scenario): () => Promise<World> {
  const { limit, checks, reserve = 0, times = [] } = scenario
  const { leases = false, evict = false, die = false, timeouts = 0 } = scenario
  const demand: Demand = { policy: '', client: 'a', limit, window: WINDOW, cost: 1, reserve }

  return async () => {
    const start = 1000
    let now = start
    const redis = redisModel(() => now)
    const wire: Sent[] = []
    /** The life of the key in which each command counted, and that of which an isolate heard last. */
    const lives = new Map<Sent, Life>()
    const heldIn = new Map<string, Life>()
    const granted = new Map<Life, number>()
    const told: { readonly life: Life; readonly resetAt: number }[] = []
    let evicted = !evict
    let dead: string | undefined = die ? undefined : 'nobody'
    let failure: unknown
    let timeoutsLeft = timeouts
    /** The deadlines of questions that are not answered yet. */
    const deadlines: { readonly name: string; readonly expire: () => void }[] = []
    const timerOf =
      (isolate: string): Timer =>
      (_, expire) => {
        const deadline = { name: isolate, expire }
        deadlines.push(deadline)
        return () => {
          const at = deadlines.indexOf(deadline)
          if (at >= 0) deadlines.splice(at, 1)
        }
      }

    const isolates = checks.map((left, index) => {
      const name = `isolate ${index + 1}`
      // No two clocks agree, and none with the server's.
      const clock = () => now + index * 1_000_000 - 5_000_000
      const client = wiredClient(redis.client, name, wire)
      const asking = redisStore(client, { name: 'model', prefix: 'k' })
      const policies = leases ? allLease(60_000) : undefined
      const store = isolateOf(asking, clock, { policies, timer: timerOf(name) })
      return { name, store, left, busy: false }
    })
    type Isolate = (typeof isolates)[number]

    async function check(isolate: Isolate) {
      isolate.busy = true
      const [grant] = await isolate.store.take([demand], { waitUntil: () => {} })
      isolate.busy = false
      if (grant) record(isolate.name, grant)
    }

    function record(name: string, { granted: units, resetIn, source }: Grant) {
      const life = heldIn.get(name)
      // What is counted locally is no unit of the store's.
      if (units === 0 || life === undefined || source === 'local') return
      granted.set(life, (granted.get(life) ?? 0) + units)
      told.push({ life, resetAt: now + resetIn })
      if (source === 'lease' && !evict) {
        expect(redis.life(KEY) === life, 'units spent after their window').toBe(true)
      }
    }

    function execute(sent: Sent) {
      const before = redis.life(KEY)?.count ?? 0
      sent.execute()
      const life = redis.life(KEY)
      if (life && life.count > before) lives.set(sent, life)
    }

    function deliver(sent: Sent) {
      const life = lives.get(sent)
      if (life) heldIn.set(sent.from, life)
      sent.deliver()
    }

    for (const isolate of isolates.flatMap((one) => Array<Isolate>(leases ? 15 : 1).fill(one))) {
      if (leases) now += 150
      const first = check(isolate)
      while (isolate.busy) {
        for (const sent of [...wire]) {
          execute(sent)
          deliver(sent)
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      await first
    }
    let pending = [...times]

    function steps(): readonly Step[] {
      if (failure !== undefined) return []
      const alive = isolates.filter(({ name }) => name !== dead)
      const begin = alive
        .filter(({ busy, left }) => !busy && left > 0)
        .map((isolate): Step => {
          return {
            name: `${isolate.name} asks (${isolate.left} left)`,
            changes: [isolate.name],
            reads: ['clock'],
            run() {
              isolate.left--
              check(isolate).catch((error: unknown) => {
                failure = error
              })
            },
          }
        })
      const travel = wire.map((sent): Step => {
        const name = `${sent.from}'s ${sent.command} ${sent.executed ? 'is answered' : 'arrives'}`
        return sent.executed
          ? { name, changes: [sent.from], reads: ['clock'], run: () => deliver(sent) }
          : { name, changes: ['redis', sent.from], reads: ['clock'], run: () => execute(sent) }
      })
      const events: Step[] = []
      const active = begin.length > 0 || travel.length > 0
      const [time] = pending
      if (active && time !== undefined) {
        events.push({
          name: `it is ${time} ms`,
          changes: ['clock'],
          run() {
            now = start + time
            pending = pending.slice(1)
          },
        })
      }
      if (active && !evicted) {
        events.push({
          name: 'the key is lost',
          changes: ['redis'],
          run() {
            redis.evict(KEY)
            evicted = true
          },
        })
      }
      if (active && dead === undefined) {
        events.push({
          name: 'isolate 1 dies',
          changes: ['isolate 1'],
          run() {
            dead = 'isolate 1'
            for (const sent of wire.filter(({ from }) => from === dead)) {
              if (sent.executed) wire.splice(wire.indexOf(sent), 1)
              else sent.deliver = () => void wire.splice(wire.indexOf(sent), 1)
            }
          },
        })
      }
      const [deadline] = deadlines.filter(({ name }) => name === 'isolate 1' && name !== dead)
      if (timeoutsLeft > 0 && deadline !== undefined) {
        events.push({
          name: `isolate 1 gives up (${timeoutsLeft} left)`,
          changes: ['isolate 1'],
          reads: ['clock'],
          run() {
            timeoutsLeft--
            deadlines.splice(deadlines.indexOf(deadline), 1)
            deadline.expire()
          },
        })
      }
      return [...begin, ...travel, ...events]
    }

    return {
      steps,
      async check() {
        if (failure !== undefined) throw failure
        for (const units of granted.values()) expect(units).toBeLessThanOrEqual(limit)
        const nobodyDied = dead === 'nobody' || dead === undefined
        // A count that its isolate gave up on may arrive after the look that heals.
        const nobodyGaveUp = timeoutsLeft === timeouts
        const left = redis.life(KEY)
        if (nobodyDied && nobodyGaveUp && left)
          expect(left.endsAt, 'a key without expiry').toBeDefined()
        if (!evict) {
          for (const { life, resetAt } of told) {
            if (life.endsAt !== undefined) expect(resetAt).toBeGreaterThanOrEqual(life.endsAt)
          }
        }
        // Whoever comes next finds a window that ends.
        const next = redisStore(redis.client, { name: 'model', prefix: 'k' })
        const [grant] = await next.take([demand])
        expect(redis.life(KEY)?.endsAt).toBeLessThanOrEqual(now + WINDOW)
        expect(grant?.retryIn ?? 0).toBeLessThanOrEqual(WINDOW + 1)
      },
    }
  }
}

/** `orders`: in how many orders the steps of a scenario can happen. A walk that misses some fails. */
const SCENARIOS: Readonly<Record<string, Scenario & { readonly orders: number }>> = {
  'the last units, asked for by three isolates': { orders: 42, limit: 6, checks: [2, 2, 2] },
  'the end of a window, under two isolates': {
    orders: 1972,
    limit: 4,
    checks: [2, 2],
    times: [59_938, 60_001],
  },
  'the end of two windows': { orders: 3374, limit: 3, checks: [2, 2], times: [60_001, 120_002] },
  'a key that is lost': { orders: 43, limit: 4, checks: [2, 2], evict: true },
  'a key that is lost at the end of its window': {
    orders: 7622,
    limit: 4,
    checks: [2, 1],
    times: [59_938, 60_001],
    evict: true,
  },
  'an isolate that dies at the end of a window': {
    orders: 2461,
    limit: 4,
    checks: [1, 2],
    times: [59_938, 60_001],
    die: true,
  },
  'a question given up at the end of a window': {
    orders: 1073,
    limit: 4,
    checks: [1, 1],
    times: [59_938, 60_001],
    timeouts: 1,
  },
  'units taken ahead at the end of a window': {
    orders: 372,
    limit: 8,
    checks: [2, 1],
    reserve: 2,
    times: [59_938, 60_001],
  },
  'leases at the end of a window': {
    orders: 3230,
    limit: 200,
    checks: [5, 2],
    leases: true,
    times: [59_938, 60_001],
  },
  'leases at the end of two windows': {
    orders: 9070,
    limit: 200,
    checks: [6],
    leases: true,
    times: [60_001, 120_002],
  },
  'leases of an isolate that dies': {
    orders: 5345,
    limit: 200,
    checks: [5, 3],
    leases: true,
    times: [60_001],
    die: true,
  },
  'a refill at the end of a window': {
    orders: 212,
    limit: 200,
    checks: [7],
    leases: true,
    times: [60_001],
  },
  'a refill given up at the end of a window': {
    orders: 788,
    limit: 200,
    checks: [5, 1],
    leases: true,
    times: [60_001],
    timeouts: 1,
  },
  'leases of a key that is lost': {
    orders: 11970,
    limit: 200,
    checks: [5, 3],
    leases: true,
    evict: true,
  },
}

describe('in every order of what can happen no life of a key grants more than its limit, and none is left without expiry', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    test(name, async () => {
      const paths = await everyInterleaving(worldOf(scenario))
      expect(paths).toBe(scenario.orders)
    }, 120_000)
  }
})
