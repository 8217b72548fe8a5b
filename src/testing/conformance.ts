import { StoreError } from '../errors.ts'
import type { Store } from '../stores/store.ts'
import { assert } from './assert.ts'
import { CALL_CASES } from './call-cases.ts'
import { type Cases, caseContext, demandOf, newClient } from './case.ts'
import { COUNT_CASES } from './count-cases.ts'
import { DEBT_CASES } from './debt-cases.ts'
import { SETTLE_CASES } from './settle-cases.ts'
import type { ConformanceOptions } from './subject.ts'
import { WINDOW_CASES } from './window-cases.ts'

const CASES: Cases = {
  ...WINDOW_CASES,
  ...COUNT_CASES,
  ...CALL_CASES,
  ...DEBT_CASES,
  ...SETTLE_CASES,
}

/**
 * Registers a test for each sentence of the contract of `Store` that a caller can observe. A store
 * conforms if all tests pass in every runtime that the store supports.
 *
 * @example
 * import { test } from 'vitest'
 * import { manualClock, storeConformance } from 'tidegate/testing'
 *
 * storeConformance({
 *   test,
 *   make() {
 *     const clock = manualClock()
 *     let store = mapStore(clock)
 *     return {
 *       store: { take: (demands) => store.take(demands) },
 *       elapse: clock.advance,
 *       flush: () => {
 *         store = mapStore(clock)
 *       },
 *       loseExpiry: () => clock.advance(-86_400_000),
 *     }
 *   },
 * })
 */
export function storeConformance(options: ConformanceOptions): void {
  const { test, make, unreachable, window = 400 } = options
  for (const [name, run] of Object.entries(CASES)) {
    test(name, async () => {
      const subject = await make()
      try {
        await run(caseContext(subject, window))
      } finally {
        await subject.close?.()
      }
    })
  }
  if (unreachable === undefined) return
  test('a backend that cannot be reached is a StoreError that names no client', () =>
    assertUnreachable(unreachable(), window))
}

async function assertUnreachable(store: Store, window: number): Promise<void> {
  const client = newClient()
  const error: unknown = await store.take([demandOf(client, window)]).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert(error instanceof StoreError, `threw ${error}`)
  assert(error.code === 'unreachable' || error.code === 'timeout', `code ${error.code}`)
  assert(error.cause !== undefined, 'no cause')
  const told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
  assert(!told.includes(client), 'the error names the client')
}
