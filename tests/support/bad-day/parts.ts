import fc from 'fast-check'
import type { Fallback } from '../../../src/stores/guard-options.ts'
import { type CallFault, type Fault, NO_FAULT, SERVER_ERRORS } from './fault.ts'

/** Objects that print as they are written. */
export const record = <Value>(model: { [Key in keyof Value]: fc.Arbitrary<Value[Key]> }) =>
  fc.record(model, { noNullPrototype: true })

export const fallback: fc.Arbitrary<Fallback> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('local' as const) },
  { weight: 2, arbitrary: record({ local: fc.constantFrom(0.25, 0.5) }) },
  { weight: 1, arbitrary: fc.constantFrom('open' as const, 'closed' as const) },
)

/** @param slow in ms: how long calls or answers may be held */
export function faults(slow: readonly number[]): fc.Arbitrary<Fault> {
  const fault: fc.Arbitrary<CallFault> = fc.oneof(
    fc.constant({ kind: 'refuse' as const }),
    record({
      kind: fc.constant('hang' as const),
      afterwards: fc.constantFrom('run' as const, 'drop' as const, 'silence' as const),
    }),
    record({
      kind: fc.constant('slow' as const),
      ms: fc.constantFrom(...slow),
      holds: fc.constantFrom('call' as const, 'answer' as const),
    }),
    fc.constant({ kind: 'lost' as const }),
    record({ kind: fc.constant('garbage' as const), runs: fc.boolean() }),
    fc.constantFrom(...SERVER_ERRORS),
  )
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(NO_FAULT) },
    { weight: 5, arbitrary: fault },
    {
      weight: 2,
      arbitrary: record({
        kind: fc.constant('some' as const),
        nth: fc.constantFrom(2, 3, 7),
        fault,
      }),
    },
  )
}
