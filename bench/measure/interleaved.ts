import type { Mode, Round, RoundResult } from '../apps/round.ts'
import { premise } from './premise.ts'
import { median, quantile, rounded } from './statistics.ts'

/** An app somewhere else, and how to have it run a round. */
export interface Runner {
  readonly name: string
  run(round: Round): Promise<RoundResult>
}

export type Throughput = Record<
  | 'many clients, ÷ bare'
  | 'many clients, ÷ bare, lower quartile'
  | 'one client, ÷ bare'
  | 'one client, ÷ bare, lower quartile',
  number
>

const REQUESTS = 3000
const ROUNDS = 41
/** With many clients these fill memory(), which from then on forgets one for each that comes. */
const WARM_UP = 5
/** A client that is none of the many. */
const ONE = (WARM_UP + ROUNDS) * REQUESTS

/**
 * Runs the same rounds on all of them by turns, so that whatever else the machine does hits all, and
 * compares each with the first one's round of the same turn.
 */
export async function interleaved(
  runners: readonly Runner[],
  { requests = REQUESTS, cpu = false }: { readonly requests?: number; readonly cpu?: boolean } = {},
): Promise<Record<string, Throughput>> {
  const [bare] = runners
  if (bare === undefined) throw new Error('nothing to compare')
  const ratios = new Map(runners.map(({ name }) => [name, { many: [], one: [] } as Ratios]))
  for (const mode of ['many', 'one'] as const) {
    for (let turn = 0; turn < WARM_UP + ROUNDS; turn++) {
      const times = new Map<string, number>()
      // Who goes first changes by turns.
      const order = runners.map((_, index) => runners[(index + turn) % runners.length] ?? bare)
      for (const runner of order) {
        // No client ever comes back in many; in one it is the same throughout.
        const first = mode === 'many' ? turn * REQUESTS : ONE
        const { ms } = await runner.run({ mode, requests, first, look: false, cpu })
        times.set(runner.name, ms)
      }
      if (turn < WARM_UP) continue
      for (const [name, ms] of times)
        ratios.get(name)?.[mode].push((times.get(bare.name) ?? 0) / ms)
    }
  }
  return Object.fromEntries(
    [...ratios].map(([name, { many, one }]) => [
      name,
      {
        'many clients, ÷ bare': rounded(median(many)),
        'many clients, ÷ bare, lower quartile': rounded(quantile(many, 0.25)),
        'one client, ÷ bare': rounded(median(one)),
        'one client, ÷ bare, lower quartile': rounded(quantile(one, 0.25)),
      },
    ]),
  )
}

type Ratios = Record<Mode, number[]>

/** That each app answers what it is said to: the same work, for clients that differ or do not. */
export async function look(runners: readonly Runner[], bareName: string): Promise<void> {
  for (const { name, run } of runners) {
    const many = await run({ mode: 'many', requests: 50, first: ONE + 1, look: true })
    const one = await run({ mode: 'one', requests: 50, first: ONE + 51, look: true })
    const statuses = [...many.fields, ...one.fields].map(({ status }) => status)
    premise(
      statuses.length === 100 && statuses.every((status) => status === '200'),
      `${name} answers 200`,
    )
    const fields = Object.keys(one.fields[0] ?? {}).filter((field) => field !== 'status')
    premise(fields.length === 2, `${name} sets two RateLimit fields`, fields)
    if (name === bareName || name === 'middleware') continue
    const left = ({ fields }: RoundResult) => fields.map(remainingOf)
    premise(new Set(left(many)).size <= 2, `${name} counts many clients apart`, left(many))
    premise(new Set(left(one)).size === 50, `${name} counts one client together`, left(one))
  }
}

/** `r=` of draft-11, `remaining=` of draft-7. */
const remainingOf = (fields: Readonly<Record<string, string>>) =>
  Number(/\b(?:r|remaining)=(\d+)/.exec(fields.ratelimit ?? '')?.[1])
