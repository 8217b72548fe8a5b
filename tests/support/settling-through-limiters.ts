import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, type Limiter, type Store } from '../../src/index.ts'
import { settling } from '../../src/settling/settling.ts'
import { pause } from './pause.ts'

const LIMIT = 5
const WINDOW = 200

const context = () => ({ waitUntil: (work: Promise<unknown>) => void work })

/** Limiters of isolates that know nothing of one another. */
function isolates(make: (prefix: string) => Store, window: number): readonly [Limiter, Limiter] {
  const prefix = crypto.randomUUID()
  const limiter = () =>
    createLimiter({
      policies: [
        { name: 'calls', limit: LIMIT, window, settle: true },
        { name: 'more', limit: 1_000, window, settle: true },
      ],
      store: settling({ ...make(prefix), identity: undefined }),
      timeout: '30s',
    })
  return [limiter(), limiter()]
}

const remaining = async (limiter: Limiter, client: string) =>
  (await limiter.peek(client, context())).policies.map((policy) => policy.remaining)

/** Tests of settlements through limiters of two isolates. `make` returns a store of an isolate. */
export function testSettlements(kind: string, make: (prefix: string) => Store): void {
  describe(`over ${kind} a decision`, () => {
    test('is settled once, whatever isolates settle it at once', async () => {
      const [one, other] = isolates(make, 60_000)
      const client = crypto.randomUUID()
      const decision = await one.take(client, { cost: 4, ...context() })
      const receipt = `${decision.receipt}`
      const changed = await Promise.all(
        [one, other, one, other].map((limiter) => limiter.settle(receipt, 1, context())),
      )
      expect(changed.filter(Boolean)).toHaveLength(1)
      expect(await remaining(other, client)).toEqual([LIMIT - 1, 999])
    })

    test('gives no unit to the window after its own, nor to the one after a reset', async () => {
      const [one, other] = isolates(make, WINDOW)
      const client = crypto.randomUUID()
      const early = await one.take(client, { cost: 4, ...context() })
      await pause(WINDOW + 5)
      await other.take(client, { cost: 4, ...context() })
      const changed = [await one.settle(early, 0), await other.settle(`${early.receipt}`, 0)]
      expect(changed).toEqual([false, false])

      const [slow, reset] = isolates(make, 60_000)
      const before = await slow.take(client, { cost: 4, ...context() })
      await Promise.all([reset.reset(client), slow.settle(before, 4)])
      await reset.take(client, { cost: 3, ...context() })
      expect(await slow.settle(before, 0)).toBe(false)
      expect(await remaining(reset, client)).toEqual([LIMIT - 3, 997])
    })

    test('settles nothing after a reset by a limiter without settlements', async () => {
      const prefix = crypto.randomUUID()
      const policy = { name: 'calls', limit: LIMIT, window: 60_000, timeout: '30s' } as const
      const store = { ...make(prefix), identity: undefined }
      const app = createLimiter({ ...policy, settle: true, store: settling(store) })
      const tool = createLimiter({ ...policy, store })
      const client = crypto.randomUUID()
      const decision = await app.take(client, { cost: 4, ...context() })
      await tool.reset(client)
      await tool.take(client, { cost: 3, ...context() })
      expect(await app.settle(decision, 0)).toBe(false)
      expect(await remaining(tool, client)).toEqual([LIMIT - 3])
    })

    test('whose receipt was changed settles no other client, and no units that cannot be', async () => {
      const [one] = isolates(make, 60_000)
      const [client, victim] = [crypto.randomUUID(), crypto.randomUUID()]
      const { receipt } = await one.take(client, { cost: 4, ...context() })
      const taken = await one.take(victim, { cost: 4, ...context() })
      const [id, first, ...rest] = JSON.parse(`${receipt}`)
      const [, foreign] = JSON.parse(`${taken.receipt}`)
      const changed = (entry: unknown) => JSON.stringify([id, entry, ...rest])
      const [policy, name, windowName, reserved] = first
      for (const entry of [
        [policy, foreign[1], windowName, reserved],
        ['another', name, windowName, reserved],
        ['calls~settled', name, windowName, reserved],
        [policy, name, 'another', reserved],
      ]) {
        expect(await one.settle(JSON.stringify([id, entry]), 0)).toBe(false)
      }
      for (const wrong of [-1, 1e300, 0.5, '4', null]) {
        await expect(one.settle(changed([policy, name, windowName, wrong]), 0)).rejects.toThrow(
          ConfigError,
        )
      }
      expect(await remaining(one, victim)).toEqual([LIMIT - 4, 996])
      expect(await remaining(one, client)).toEqual([LIMIT - 4, 996])
    })
  })
}
