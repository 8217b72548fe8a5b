import type { Figures } from '../../src/simulation/figures.ts'
import type { Mode } from '../../src/simulation/rules/rules.ts'

/** What each rule made of one scenario. */
export type Findings = Readonly<Partial<Record<Mode, Figures>>>

const COLUMNS: readonly (readonly [title: string, of: (figures: Figures) => string])[] = [
  ['requests', ({ requests }) => count(requests)],
  ['allowed', ({ admitted }) => count(admitted)],
  ['billed/allowed', ({ billedPerAllowed }) => billedPerAllowed.toFixed(3)],
  ['trips/request', ({ tripsPerRequest }) => tripsPerRequest.toFixed(3)],
  ['p50 ms', ({ p50 }) => p50.toFixed(1)],
  ['p99 ms', ({ p99 }) => p99.toFixed(1)],
  ['allowed/due', ({ windows, share }) => (windows > 0 ? share.toFixed(3) : '–')],
  ['beyond limit', ({ beyond }) => count(beyond)],
  ['unfair', ({ unfair }) => count(unfair)],
  ['share', ({ unfairShare }) => `${(100 * unfairShare).toFixed(1)} %`],
]

/** A table for a terminal, a rule per line. */
export function tableOf(findings: Findings): string {
  return align([
    ['', ...COLUMNS.map(([title]) => title)],
    ...Object.entries(findings).map(([mode, figures]) => [
      mode,
      ...COLUMNS.map(([, of]) => of(figures)),
    ]),
  ])
}

/** Lines with their cells below each other: the first to the left, the others to the right. */
export function align(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell[column === 0 ? 'padEnd' : 'padStart'](widths[column] ?? 0))
        .join('  '),
    )
    .join('\n')
}

const count = (value: number) => value.toLocaleString('en-US')
