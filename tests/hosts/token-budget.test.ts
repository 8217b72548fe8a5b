/** 100 streams at once on one budget of tokens, which is shared by four isolates. */
import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter, type Limiter, type Store } from '../../src/index.ts'
import { type Random, random } from '../../src/simulation/random.ts'
import { pause } from '../support/pause.ts'
import { isolateStores } from './support/isolate-stores.ts'

const BUDGET = 10_000
const STREAMS = 100
const CALLS_PER_STREAM = 4

const { kinds, stop } = await isolateStores()
afterAll(stop)

/** What happened, as the callers saw it: grants when they arrived, settlements when they were sent. */
function ledger() {
  let reserved = 0
  let settled = 0
  let beyond = 0
  let highest = 0
  let fullest = 0
  const counts = { granted: 0, refused: 0, low: 0, high: 0, cut: 0 }
  return {
    counts,
    grant(estimate: number): void {
      counts.granted++
      reserved += estimate
      highest = Math.max(highest, reserved + settled - beyond)
      fullest = Math.max(fullest, reserved + settled)
    },
    settle(estimate: number, used: number): void {
      if (used > estimate) counts.low++
      if (used < estimate) counts.high++
      reserved -= estimate
      settled += used
      beyond += Math.max(0, used - estimate)
    },
    /** The most that was granted at a time, without what settled calls used beyond their estimate. */
    highest: () => highest,
    fullest: () => fullest,
    used: () => settled,
  }
}

/** An answer of a model, part by part. */
async function* answerOf(tokens: number, { below }: Random): AsyncGenerator<number> {
  for (let left = tokens; left > 0; ) {
    const part = Math.min(left, 1 + below(40))
    yield part
    left -= part
    if (below(3) === 0) await pause(below(4))
  }
}

/** Streams answers one after the other, some of which are cut off. */
async function stream(
  limiters: readonly Limiter[],
  user: string,
  chance: Random,
  { counts, grant, settle }: ReturnType<typeof ledger>,
): Promise<void> {
  const { below, next } = chance
  const isolate = () => limiters[below(limiters.length)] as Limiter
  for (let call = 0; call < CALLS_PER_STREAM; call++) {
    const estimate = 20 + below(300)
    const decision = await isolate().take({ plain: user }, { cost: estimate })
    expect(decision.source).toMatch(/^(?:store|known)$/)
    if (!decision.allowed) {
      counts.refused++
      await pause(below(20))
      continue
    }
    grant(estimate)
    let used = 0
    const isCut = below(3) === 0
    for await (const part of answerOf(Math.floor(estimate * 2 * next()), chance)) {
      used += part
      if (isCut && below(5) === 0) {
        counts.cut++
        break
      }
    }
    settle(estimate, used)
    // Any isolate may settle a receipt, and twice is as good as once.
    await isolate().settle(decision.receipt as string, used)
    if (below(4) === 0) expect(await isolate().settle(decision, used)).toBe(false)
  }
}

/** The count of the store. Its limit is higher than any count, since `used` never exceeds it. */
async function countOf({ take }: Store, client: string): Promise<number | undefined> {
  const demand = { policy: 'tokens', client, limit: 1e9, window: 3_600_000, cost: 0 }
  const [grant] = await take([demand])
  return grant?.used
}

for (const [kind, make] of Object.entries(kinds)) {
  describe(`100 streams at once on a budget of 10,000 tokens, over ${kind}`, () => {
    for (const seed of [1, 2]) {
      test(`never get more than the budget, and the count is what they used (seed ${seed})`, async () => {
        const stores = make()
        const limiters = stores.map((store) =>
          createLimiter({
            name: 'tokens',
            limit: BUDGET,
            window: '1h',
            settle: true,
            timeout: '30s',
            store,
          }),
        )
        const client = crypto.randomUUID()
        const book = ledger()
        const streams = Array.from({ length: STREAMS }, (_, index) =>
          stream(limiters, client, random(seed, `stream ${index}`), book),
        )
        await Promise.all(streams)

        expect(book.highest()).toBeLessThanOrEqual(BUDGET)
        const [store] = stores
        expect(await countOf(store as Store, client)).toBe(book.used())
        // Otherwise nothing was put to the test.
        expect(book.fullest()).toBeGreaterThan(0.9 * BUDGET)
        for (const count of Object.values(book.counts)) expect(count).toBeGreaterThan(10)
      })
    }
  })
}
