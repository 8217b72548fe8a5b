import type { Row } from '../outcome.ts'

const COLUMNS = ['measure', 'rivals', 'target', 'Tidegate', 'met'] as const
/** So many letters in a line of the console. */
const WIDTHS = [46, 58, 16, 26, 4]

const cells = ({ measure, rivals, target, tidegate, met }: Row): readonly string[] => [
  ...[measure, rivals, target, tidegate],
  met ? 'yes' : 'no',
]

/** For the console, with long cells spread over lines. */
export function consoleTable(rows: readonly Row[]): string {
  const rule = WIDTHS.map((width) => '─'.repeat(width)).join('─┼─')
  const lines = [COLUMNS, ...rows.map(cells)].map((row) => {
    const spread = row.map((cell, column) => wrapped(cell, WIDTHS[column] ?? 0))
    const height = Math.max(...spread.map((part) => part.length))
    return Array.from({ length: height }, (_, line) =>
      spread.map((part, column) => (part[line] ?? '').padEnd(WIDTHS[column] ?? 0)).join(' │ '),
    ).join('\n')
  })
  return lines.join(`\n${rule}\n`)
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

export const markdownTable = (rows: readonly Row[]): string =>
  [COLUMNS, COLUMNS.map(() => '---'), ...rows.map(cells)]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
