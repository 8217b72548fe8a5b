/**
 * Bad days in virtual time: several isolates, one Redis, and all that can go wrong between them.
 * `MODEL_SEED` draws other sequences, `MODEL_RUNS` changes their number. A sequence that fails belongs in
 * tests/support/bad-day/regressions.jsonl, one on a line.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { sequences } from '../support/bad-day/arbitraries.ts'
import { runSequence } from '../support/bad-day/run-sequence.ts'
import type { Sequence } from '../support/bad-day/step.ts'

const SEED = Number(process.env.MODEL_SEED ?? 20261128)
const RUNS = Number(process.env.MODEL_RUNS ?? 2000)
const MAX_STEPS = 40

interface Regression {
  readonly name: string
  readonly sequence: Sequence
}

const file = new URL('../support/bad-day/regressions.jsonl', import.meta.url)
const regressions = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Regression)

describe('sequences that failed once', () => {
  for (const { name, sequence } of regressions) test(name, () => runSequence(sequence))
})

test(`in any sequence of requests and faults all promises hold (seed ${SEED})`, async () => {
  console.log(`bad days: ${RUNS} sequences with MODEL_SEED=${SEED}`)
  const property = fc.asyncProperty(sequences(MAX_STEPS), (sequence) => runSequence(sequence))
  await fc.assert(property, { seed: SEED, numRuns: RUNS })
}, 300_000)
