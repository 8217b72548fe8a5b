import type { Finding, Level, Report } from '../doctor/report.ts'

/** The part of a report of any subcommand that the table shows. */
export interface TableReport extends Pick<Report, 'ok' | 'level' | 'took'> {
  readonly findings: readonly (Omit<Finding, 'check'> & { readonly check: string })[]
}

/** The terminal that shows a report. */
export interface Terminal {
  readonly colours: boolean
  /**
   * The width in characters. `undefined` if the output is not a terminal.
   * @default 100
   */
  readonly columns?: number | undefined
}

/** ECMA-48 §8.3.117. `styleText` of node:util is not in every Node 20. */
const CODES = { green: 32, cyan: 36, yellow: 33, red: 31, bold: 1, dim: 2 } as const
type Style = keyof typeof CODES

const COLOURS = { ok: 'green', info: 'cyan', warning: 'yellow', failure: 'red' } as const

/** A table with level, check and text of each finding, and its remedy below. `head` is above it. */
export function formatReport(
  head: string,
  report: TableReport,
  { colours, columns }: Terminal,
): string {
  const { findings, took } = report
  const paint = (styles: readonly Style[], text: string) =>
    colours ? `\u001b[${styles.map((style) => CODES[style]).join(';')}m${text}\u001b[0m` : text
  const width = Math.max(Math.min(columns ?? 100, 120) - MARGIN.length, 40)

  const rows = findings.map(({ check, level, says, remedy }) => {
    const start = `  ${paint([COLOURS[level]], level.padEnd(9))}${check.padEnd(16)}`
    const below =
      remedy === undefined ? [] : wrap(`→ ${remedy}`, width).map((s) => paint(['dim'], s))
    return start + [...wrap(says, width), ...below].join(`\n${MARGIN}`)
  })
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length
  const summary = `${countOf(count('failure'), 'failure')}, ${countOf(count('warning'), 'warning')}`
  const verdict = paint([COLOURS[report.level], 'bold'], summary)
  return `${head}\n\n${rows.join('\n')}\n\n${verdict} (${took} ms)`
}

const MARGIN = ' '.repeat(2 + 9 + 16)

const countOf = (count: number, word: string) =>
  `${count === 0 ? 'no' : count} ${word}${count === 1 ? '' : 's'}`

/** Lines of at most `width` characters, broken at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
