import fc from 'fast-check'
import { fallback, faults, record } from '../parts.ts'
import type { Step } from '../step.ts'
import type { Rule } from '../watcher.ts'

/** A sequence for real servers: some seconds long. */
export interface RealSequence {
  readonly rules: readonly Rule[]
  readonly isolates: readonly { readonly lease: boolean; readonly breaker: boolean }[]
  readonly steps: readonly RealStep[]
}

/** The steps that real servers can take, each by itself: no two sequences share a key. */
export type RealStep = Extract<
  Step,
  { readonly do: 'ask' | 'wait' | 'fault' | 'restart' | 'evict' }
>

/** In ms: how long a check may wait for the store. */
export const TIMEOUT = 300

const rule = record({
  limit: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(70)),
  // The windows of some sequences end, those of others do not.
  window: fc.constantFrom(60_000, 60_000, 1000),
  fallback,
})

const setting = record({
  rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
  isolates: fc.array(
    record({
      lease: fc.boolean(),
      breaker: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})

const index = fc.nat({ max: 2 })

const step: fc.Arbitrary<RealStep> = fc.oneof(
  {
    weight: 10,
    arbitrary: record({
      do: fc.constant('ask' as const),
      isolate: index,
      client: fc.nat({ max: 1 }),
      rules: fc.nat({ max: 3 }),
      count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(15, 40)),
      gap: fc.constantFrom(0, 5),
    }),
  },
  {
    weight: 6,
    arbitrary: record({ do: fc.constant('wait' as const), ms: fc.constantFrom(20, 120, 300, 600) }),
  },
  {
    weight: 5,
    arbitrary: record({
      do: fc.constant('fault' as const),
      isolate: fc.oneof(fc.constant('all' as const), index),
      // In time, just below the deadline, and after it.
      fault: faults([80, 250, 400, 700]),
    }),
  },
  { weight: 1, arbitrary: record({ do: fc.constant('restart' as const), isolate: index }) },
  {
    weight: 1,
    arbitrary: record({ do: fc.constant('evict' as const), client: index, rule: index }),
  },
)

export const realSequences = (maxLength: number): fc.Arbitrary<RealSequence> =>
  fc.tuple(setting, fc.array(step, { minLength: 5, maxLength, size: 'max' })).map(
    ([{ rules, isolates }, steps]): RealSequence => ({
      rules: rules.map((one, at) => ({ ...one, name: `p${at}` })),
      isolates,
      steps,
    }),
  )
