import type { Level } from '../drill/report.ts'

/** The part of a report of any subcommand that the table shows. */
export interface TableReport {
  readonly level: Level
  readonly findings: readonly {
    readonly check: string
    readonly level: Level
    readonly says: string
    readonly remedy?: string | undefined
  }[]
  /** In ms. */
  readonly took: number
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

const COLOURS = {
  ok: 'green',
  info: 'cyan',
  warning: 'yellow',
  'not examined': 'yellow',
  failure: 'red',
} as const

/** A table with level, check and text of each finding, and its remedy below. `head` is above it. */
export function formatReport(
  head: string,
  report: TableReport,
  { colours, columns }: Terminal,
): string {
  const { findings, took } = report
  const paint = (styles: readonly Style[], text: string) =>
    colours ? `\u001b[${styles.map((style) => CODES[style]).join(';')}m${text}\u001b[0m` : text
  const ofLevel = Math.max(...findings.map(({ level }) => level.length), 7) + 2
  const margin = ' '.repeat(2 + ofLevel + CHECK_WIDTH)
  const width = Math.max(Math.min(columns ?? 100, 120) - margin.length, 40)

  const rows = findings.map(({ check, level, says, remedy }) => {
    const start = `  ${paint([COLOURS[level]], level.padEnd(ofLevel))}${check.padEnd(CHECK_WIDTH)}`
    const below =
      remedy === undefined ? [] : wrap(`→ ${remedy}`, width).map((s) => paint(['dim'], s))
    return start + [...wrap(says, width), ...below].join(`\n${margin}`)
  })
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length
  const missing = count('not examined')
  const summary =
    `${countOf(count('failure'), 'failure')}, ${countOf(count('warning'), 'warning')}` +
    (missing > 0 ? `, ${missing} not examined` : '')
  const verdict = paint([COLOURS[report.level], 'bold'], summary)
  return `${head}\n\n${rows.join('\n')}\n\n${verdict} (${took} ms)`
}

const CHECK_WIDTH = 16

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
