import fc from 'fast-check'
import { expect } from 'vitest'
import { type Demand, type Grant, memory, type Settlement, type Store } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { able } from './able.ts'

/** A store whose windows can be brought nearer to their ends without waiting. */
export interface Shiftable {
  readonly store: Store
  /** Moves the end of every open window `ms` nearer. */
  shift(ms: number): Promise<void> | void
  close?(): Promise<void> | void
}

const SECOND = 1000

const POLICIES = ['', 'burst', 'hourly'] as const

/**
 * Each policy keeps its limit: units that a store counts beyond it would show under a higher limit.
 */
const limits = fc.record({
  '': fc.integer({ min: 1, max: 6 }),
  burst: fc.integer({ min: 1, max: 6 }),
  hourly: fc.integer({ min: 1, max: 6 }),
})

/**
 * Windows and waits in whole tens of seconds with nothing near a boundary, so that the time the
 * test itself takes does not matter.
 */
const call = fc.uniqueArray(
  fc.record({
    policy: fc.constantFrom(...POLICIES),
    window: fc.constantFrom(25 * SECOND, 45 * SECOND),
    cost: fc.integer({ min: 0, max: 4 }),
    reserve: fc.integer({ min: 0, max: 3 }),
    settling: fc.boolean(),
    owed: fc.option(
      fc.record({
        units: fc.integer({ min: 1, max: 7 }),
        age: fc.constantFrom(5 * SECOND, 15 * SECOND, 25 * SECOND),
        rest: fc.constantFrom(15 * SECOND, 25 * SECOND),
      }),
      { nil: undefined },
    ),
  }),
  { selector: ({ policy }) => policy, minLength: 1 },
)
const client = fc.constantFrom('a', 'b')
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ client, call }) },
  { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(10 * SECOND, 20 * SECOND) }) },
  // Which of the units taken so far, the last one first: again and late, too.
  { weight: 2, arbitrary: fc.record({ settle: fc.nat(4), used: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ client, reset: fc.constantFrom(...POLICIES) }) },
)

/**
 * For any sequence of demands, settlements, resets and waits the store grants what memory grants.
 */
export async function expectGrantsOfMemory(
  make: () => Promise<Shiftable> | Shiftable,
  numRuns: number,
  /**
   * A guard that refuses by itself shortens no window: each policy then keeps one length. And it
   * alone asks for what is owed.
   */
  isGuarded = false,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.array(step, { minLength: 1, maxLength: 12 }),
      async (limits, steps) => {
        const clock = manualClock()
        const model = able(memory({ clock }))
        const subject = await make()
        const taken: Settlement[] = []
        let decisions = 0
        try {
          for (const step of steps) {
            if ('wait' in step) {
              clock.advance(step.wait)
              await subject.shift(step.wait)
              continue
            }
            if ('settle' in step) {
              const settlement = taken.at(-1 - step.settle)
              if (settlement === undefined) continue
              const settlements = [{ ...settlement, used: step.used }]
              const want = await model.settle?.(settlements)
              expect(await subject.store.settle?.(settlements)).toEqual(want)
              continue
            }
            if ('reset' in step) {
              const keys = [{ policy: step.reset, client: step.client }]
              await model.reset?.(keys)
              await subject.store.reset?.(keys)
              continue
            }
            const id = `decision-${decisions++}`
            const demands = step.call.map(
              (demand): Demand => ({
                policy: demand.policy,
                client: step.client,
                window: demand.window,
                owed: demand.owed,
                ...settlingOf(demand, id, isGuarded),
                ...(isGuarded && {
                  window: (demand.policy === POLICIES[0] ? 25 : 45) * SECOND,
                  owed: undefined,
                }),
                limit: limits[demand.policy],
                cost: Math.min(demand.cost, limits[demand.policy]),
              }),
            )
            const [got, want] = [await subject.store.take(demands), await model.take(demands)]
            // If a guard refuses one demand by itself, it may have no record of the others.
            const isSeen = (_: unknown, index: number) => !got[index]?.unseen
            // It does not tell accounts, and knows only what it has last seen of reserved units.
            const isAsked = (_: unknown, index: number) => !got[index]?.source
            expect(got.filter(isAsked).map(account)).toEqual(want.filter(isAsked).map(account))
            const isCertain = (_: unknown, index: number) =>
              isSeen(_, index) && (isAsked(_, index) || !demands[index]?.settling)
            expect(got.filter(isCertain).map(counts)).toEqual(want.filter(isCertain).map(counts))
            expect(got.map(({ granted }) => granted)).toEqual(want.map(({ granted }) => granted))
            for (const [index, { windowName, granted }] of want.entries()) {
              const { policy = '', settling, cost = 0 } = demands[index] ?? {}
              if (!settling || !windowName || granted < cost) continue
              taken.push({ policy, client: step.client, id, windowName, reserved: cost, used: 0 })
            }
            for (const [index, { resetIn, retryIn }] of got.entries()) {
              if (!isCertain(undefined, index)) continue
              expect(Math.abs(resetIn - (want[index]?.resetIn ?? 0))).toBeLessThan(4 * SECOND)
              expect(Math.abs(retryIn - (want[index]?.retryIn ?? 0))).toBeLessThan(4 * SECOND)
            }
          }
        } finally {
          await subject.close?.()
        }
      },
    ),
    { numRuns, seed: 20261123 },
  )
}

/**
 * Whether a demand is settled later. To an isolate a policy either settles all its units or none.
 */
function settlingOf(
  { policy, settling, reserve }: { policy: string; settling: boolean; reserve: number },
  id: string,
  isGuarded: boolean,
): Pick<Demand, 'settling' | 'reserve'> {
  const isSettled = isGuarded ? policy === POLICIES[2] : settling
  return isSettled ? { settling: id, reserve: 0 } : { reserve }
}

const counts = ({ granted, used, retryIn, resetIn }: Grant) => ({
  granted,
  used,
  waits: retryIn > 0,
  open: resetIn > 0,
})

/** What an isolate that refuses by itself does not tell. */
const account = ({ windowName, settled }: Grant) => ({ windowName, settled })
