import fc from 'fast-check'
import type { IsolateOptions } from './isolate.ts'
import { fallback, faults, record } from './parts.ts'
import type { Sequence, Setting, Step } from './step.ts'

const index = fc.nat({ max: 3 })

const rule = record({
  // Only large limits are leased.
  limit: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 2, arbitrary: fc.constantFrom(70, 150) },
  ),
  window: fc.constantFrom(60_000, 10_000, 2000),
  fallback,
})

const isolate: fc.Arbitrary<IsolateOptions> = record({
  face: fc.constantFrom('tcp' as const, 'rest' as const, 'batch' as const),
  host: fc.constantFrom('server' as const, 'edge' as const, 'bare' as const),
  lease: fc.boolean(),
  breaker: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  skew: fc.constantFrom(0, 3_600_000, -3_600_000),
  trip: fc.constantFrom(1, 15, 60),
})

const setting: fc.Arbitrary<Setting> = record({
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  isolates: fc.array(isolate, { minLength: 1, maxLength: 4 }),
  cluster: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  timeout: fc.constantFrom(1000, 300),
  seed: fc.nat({ max: 999 }),
})

const ask = record({
  do: fc.constant('ask' as const),
  isolate: index,
  client: fc.nat({ max: 2 }),
  rules: fc.nat({ max: 7 }),
  count: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
    { weight: 1, arbitrary: fc.integer({ min: 12, max: 30 }) },
  ),
  gap: fc.constantFrom(0, 0, 5, 130),
})

const wait = record({
  do: fc.constant('wait' as const),
  ms: fc.constantFrom(20, 120, 300, 1000, 2000, 6000, 61_000),
})

const where = fc.oneof(fc.constant('all' as const), index)
/** In ms: answers in time, just below the deadline, and after it. */
const fault = faults([150, 850, 1100, 2500])

const setFault = record({ do: fc.constant('fault' as const), isolate: where, fault })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: ask },
  { weight: 6, arbitrary: wait },
  { weight: 6, arbitrary: setFault },
  {
    weight: 1,
    arbitrary: record({ do: fc.constant('restart' as const), isolate: index }),
  },
  {
    weight: 1,
    arbitrary: record({
      do: fc.constantFrom('evict' as const, 'evict' as const, 'spoil' as const),
      client: fc.nat({ max: 2 }),
      rule: fc.nat({ max: 2 }),
    }),
  },
  { weight: 1, arbitrary: record({ do: fc.constantFrom('flush' as const, 'reboot' as const) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'recover' as const }) },
)

/** @param maxLength how many steps at most */
export const sequences = (maxLength: number): fc.Arbitrary<Sequence> =>
  record({ setting, steps: fc.array(step, { minLength: 1, maxLength, size: 'max' }) })
