import fc from 'fast-check'
import { expect } from 'vitest'
import { type Demand, memory, type Store } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'

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
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ client: fc.constantFrom('a', 'b'), call }) },
  { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(10 * SECOND, 20 * SECOND) }) },
)

/** For any sequence of demands and waits the store grants what memory grants. */
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
        const model = memory({ clock })
        const subject = await make()
        try {
          for (const step of steps) {
            if ('wait' in step) {
              clock.advance(step.wait)
              await subject.shift(step.wait)
              continue
            }
            const demands = step.call.map(
              (demand): Demand => ({
                ...demand,
                client: step.client,
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
            expect(got.filter(isSeen).map(counts)).toEqual(want.filter(isSeen).map(counts))
            for (const [index, { resetIn, retryIn, unseen }] of got.entries()) {
              if (unseen) continue
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

const counts = ({
  granted,
  used,
  retryIn,
  resetIn,
}: Awaited<ReturnType<Store['take']>>[number]) => ({
  granted,
  used,
  waits: retryIn > 0,
  open: resetIn > 0,
})
