/** Callers of `wait` in four isolates, over one real Redis. */
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { createLimiter, type Store } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'

const ISOLATES = 4
const WAITERS = 600
const LIMIT = 50
const WINDOW = 200
const WINDOWS = WAITERS / LIMIT

const connections = Array.from({ length: ISOLATES }, () => {
  // A command that is repeated after a reconnect would count twice.
  return new Redis(inject('redisUrl'), { autoResendUnfulfilledCommands: false })
})
afterAll(() => {
  for (const connection of connections) connection.disconnect()
})

test('600 waiters of four isolates over Redis are all served, in turn, by 50 a window, with few calls', async () => {
  /** What the store has answered, in this order: the count after each grant, 0 for a refusal. */
  const answers: number[] = []
  const prefix = crypto.randomUUID()
  const limiters = connections.map((connection) => {
    // An isolate knows nothing of what another isolate knows about the store's keys.
    const counting: Store = { ...redis(connection, { prefix }), identity: undefined }
    const store: Store = {
      ...counting,
      async take(demands, options) {
        const grants = await counting.take(demands, options)
        answers.push(grants[0]?.granted ? grants[0].used : 0)
        return grants
      },
    }
    return createLimiter({ limit: LIMIT, window: WINDOW, store, timeout: '30s' })
  })

  const served: { readonly isolate: number; readonly turn: number }[] = []
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: WAITERS }, async (_, index) => {
      const [isolate, turn] = [index % ISOLATES, Math.floor(index / ISOLATES)]
      const decision = await limiters[isolate]?.wait({ plain: 'crawler' }, { max: '30s' })
      expect(decision).toMatchObject({ allowed: true, source: 'store' })
      served.push({ isolate, turn })
    }),
  )
  const elapsed = performance.now() - begun

  for (const isolate of limiters.keys()) {
    const turns = served.filter((one) => one.isolate === isolate).map(({ turn }) => turn)
    expect(turns).toEqual(Array.from({ length: WAITERS / ISOLATES }, (_, turn) => turn))
  }
  // Within a window the store returns each count once, and a window begins with the count 1.
  const granted = answers.filter((count) => count > 0)
  const windows = granted.filter((count) => count === 1).length
  expect(granted).toHaveLength(WAITERS)
  expect(Math.max(...granted)).toBe(LIMIT)
  for (let count = 1; count <= LIMIT; count++) {
    expect(granted.filter((one) => one === count).length).toBeLessThanOrEqual(windows)
  }
  expect(windows).toBeGreaterThanOrEqual(WINDOWS)
  expect(elapsed).toBeGreaterThanOrEqual((windows - 1) * WINDOW)
  // Otherwise they waited longer than they had to. A busy machine uses some windows only in part.
  expect(windows).toBeLessThanOrEqual(2 * WINDOWS)
  expect(callsPerWindow(answers)).toBeLessThanOrEqual(LIMIT + 3 * ISOLATES)
})

/** The most calls from the first unit of a window to the first unit of the next one. */
function callsPerWindow(answers: readonly number[]): number {
  let most = 0
  let calls = 0
  for (const count of answers) {
    calls = count === 1 ? 1 : calls + 1
    most = Math.max(most, calls)
  }
  return most
}
