import { describe, expect, test } from 'vitest'
import { settling } from '../../src/settling/settling.ts'
import type { Life } from '../../src/simulation/life.ts'
import { redisModel } from '../../src/simulation/redis-model.ts'
import type { RedisCommands } from '../../src/stores/redis-protocol/redis-commands.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import type { Demand, Grant, Settlement } from '../../src/stores/store.ts'
import { everyInterleaving, type Step, type World } from '../support/interleavings.ts'
import { type Sent, wiredClient } from '../support/redis-wire.ts'

const WINDOW = 60_000
const LIMIT = 2
const KEY = 'k:a'
const demand = (settling: string): Demand => {
  return { policy: '', client: 'a', limit: LIMIT, window: WINDOW, cost: 1, settling }
}

/** What one party does, one call after the other. A number settles what it took last. */
type Program = readonly ('take' | 'reset' | number)[]

interface Scenario {
  readonly parties: readonly Program[]
  /** To when time may jump, one after the other at any moment: in ms since the beginning. */
  readonly times?: readonly number[]
  /** Whether the key alone may be lost once, at any moment: its hash stays. */
  readonly evict?: boolean
}

/** Parties that take, settle and reset one client at one Redis, whose every step somebody else decides. */
function worldOf({ parties, times = [], evict = false }: Scenario): () => Promise<World> {
  return async () => {
    let now = 0
    const redis = redisModel(() => now)
    const wire: Sent[] = []
    let failure: unknown
    let pending = [...times]
    let isLost = !evict
    /** The life that each decision took its unit of, and how many units are used there for certain. */
    const lifeOf = new Map<string, Life>()
    const over = new Map<Life, number>()
    const settled = new Map<string, number>()

    /** Notes what a command has done to the key. */
    function watch(
      call: Program[number],
      id: string,
      run: () => Promise<unknown>,
    ): Promise<unknown> {
      const before = redis.life(KEY)
      const count = before?.count ?? 0
      const answer = run()
      const life = redis.life(KEY)
      const change = (life?.count ?? 0) - (life === before ? count : 0)
      if (call === 'take' && change > 0 && life) {
        lifeOf.set(id, life)
        expect(life.count, 'units in a window').toBeLessThanOrEqual(LIMIT + (over.get(life) ?? 0))
      }
      if (typeof call === 'number' && life === before && life && change !== 0) {
        expect(life === lifeOf.get(id), 'a settlement of another window').toBe(true)
        settled.set(id, (settled.get(id) ?? 0) + 1)
        expect(settled.get(id), 'settlements of one decision').toBe(1)
        over.set(life, (over.get(life) ?? 0) + Math.max(0, change))
      }
      return answer
    }

    async function run(program: Program, index: number): Promise<void> {
      const name = `party ${index + 1}`
      let id = ''
      let call: Program[number] = 'take'
      let last: Grant | undefined
      const direct: RedisCommands = {
        evalsha: (sha, keys, args) => watch(call, id, () => redis.client.evalsha(sha, keys, args)),
        eval: (text, keys, args) => watch(call, id, () => redis.client.eval(text, keys, args)),
        incrby: (key, units) => watch(call, id, () => redis.client.incrby(key, units)),
      }
      const store = settling(
        redisStore(wiredClient(direct, name, wire), { name: 'model', prefix: 'k' }),
      )
      for (const [turn, next] of program.entries()) {
        call = next
        if (next === 'take') {
          id = `${name}-${turn}`
          last = (await store.take([demand(id)]))[0]
        } else if (next === 'reset') await store.reset?.([demand(id)])
        else if (last?.granted && last.windowName) {
          const { windowName } = last
          const settlement: Settlement = {
            ...{ policy: '', client: 'a', id, windowName },
            ...{ reserved: 1, used: next },
          }
          await store.settle?.([settlement])
        }
      }
    }

    for (const [index, program] of parties.entries()) {
      run(program, index).catch((error: unknown) => {
        failure = error
      })
    }
    await new Promise((resolve) => setImmediate(resolve))

    return {
      steps(): readonly Step[] {
        if (failure !== undefined) return []
        const travel = wire.map((sent): Step => {
          const name = `${sent.from}'s script ${sent.executed ? 'is answered' : 'arrives'}`
          return sent.executed
            ? { name, changes: [sent.from], reads: ['clock'], run: () => sent.deliver() }
            : { name, changes: ['redis', sent.from], reads: ['clock'], run: () => sent.execute() }
        })
        const events: Step[] = []
        const [time] = pending
        if (wire.length > 0 && time !== undefined) {
          const jump = () => {
            now = time
            pending = pending.slice(1)
          }
          events.push({ name: `it is ${time} ms`, changes: ['clock'], run: jump })
        }
        if (wire.length > 0 && !isLost) {
          const lose = () => {
            redis.evict(KEY)
            isLost = true
          }
          events.push({ name: 'the key is lost', changes: ['redis'], run: lose })
        }
        return [...travel, ...events]
      },
      check() {
        if (failure !== undefined) throw failure
        expect(redis.life(KEY)?.count ?? 0).toBeGreaterThanOrEqual(0)
      },
    }
  }
}

/** `orders`: in how many orders the steps can happen. A walk that misses some fails. */
const SCENARIOS: Readonly<Record<string, Scenario & { readonly orders: number }>> = {
  'two parties that give back': {
    orders: 10,
    parties: [
      ['take', 0],
      ['take', 0, 'take'],
    ],
  },
  'a settlement that is sent twice': {
    orders: 10,
    parties: [
      ['take', 0, 0],
      ['take', 'take'],
    ],
  },
  'more than was reserved': {
    orders: 10,
    parties: [
      ['take', 2],
      ['take', 0, 'take'],
    ],
  },
  'a settlement beside a reset': {
    orders: 60,
    parties: [['take', 0], ['reset'], ['take', 0, 'take']],
  },
  'a settlement at the end of its window': {
    orders: 314,
    parties: [
      ['take', 0, 0],
      ['take', 'take', 2],
    ],
    times: [WINDOW + 1],
  },
  'a settlement after its key was lost': {
    orders: 60,
    parties: [
      ['take', 0],
      ['take', 0, 'take'],
    ],
    evict: true,
  },
  'a reset at the end of a window': {
    orders: 789,
    parties: [['take', 0], ['reset'], ['take', 2]],
    times: [WINDOW + 1],
  },
}

describe('in every order no window grants more than its limit and what was used beyond reservations, and each settlement counts once, in its own window', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    test(name, async () => {
      expect(await everyInterleaving(worldOf(scenario))).toBe(scenario.orders)
    }, 60_000)
  }
})
