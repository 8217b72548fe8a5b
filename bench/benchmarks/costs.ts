/**
 * Billed commands of the three cases of docs/costs.md, measured in real time, beside those that
 * `tidegate cost` estimates.
 */
import { CASES } from '../costs/cases.ts'
import { estimateAll, estimatedOf, measureAll } from '../costs/measure-all.ts'
import { rounded } from '../measure/statistics.ts'
import type { Outcome } from '../outcome.ts'

export async function costs(): Promise<Outcome> {
  const estimated = await estimateAll()
  const found = (await measureAll(estimated)).map((one) => ({
    ...one,
    estimated: estimatedOf(estimated, one),
  }))
  const ratios = found.map((one) => one.estimated / one.measured)
  const of = (limiter: string) =>
    found
      .filter((one) => one.limiter === limiter)
      .map((one) => rounded(one.estimated / one.measured))
      .join(' · ')
  return {
    figures: Object.fromEntries(
      CASES.map(({ name, title }) => [
        title,
        Object.fromEntries(
          found
            .filter((one) => one.name === name)
            .flatMap((one) => [
              [`${one.limiter}, estimated`, rounded(one.estimated)],
              [`${one.limiter}, measured`, rounded(one.measured)],
            ]),
        ),
      ]),
    ),
    rows: [
      {
        measure: 'commands that `tidegate cost` estimates ÷ billed commands, three cases',
        rivals: `${of('upstash')} Upstash 2.0.8, ${of('getSet')} GET, SET`,
        target: '0.9 to 1.1, all',
        tidegate: of('tidegate'),
        met: ratios.every((ratio) => ratio > 0.9 && ratio < 1.1),
      },
    ],
  }
}
