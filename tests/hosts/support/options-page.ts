import { readFileSync } from 'node:fs'

/** A row of a table: an option, field or method of a type. Its texts have no backticks. */
export interface Row {
  readonly name: string
  /** Whether the name is followed by a question mark, in tables without defaults. */
  readonly isOptional: boolean
  /** Of a method: what it takes. */
  readonly args: string | undefined
  /** By the table's heads: `type` or `returns`, and `default` in tables of options. */
  readonly cells: Readonly<Record<string, string>>
}

/** A table whose first head is a type of the package. */
export interface Table {
  readonly type: string
  readonly rows: readonly Row[]
  /** Rows such as "all of `SharedOptions` except `store`". */
  readonly inherited: readonly { readonly type: string; readonly except: readonly string[] }[]
}

/** The part of the page about one entry of the package, such as `tidegate/hono`. */
export interface Section {
  readonly entry: string
  readonly tables: readonly Table[]
  /** Each piece of code in the text and in the tables. */
  readonly codes: readonly string[]
}

/** Reads the page: a section for each heading of the second level. */
export function readSections(path: string): readonly Section[] {
  const [, ...parts] = readFileSync(path, 'utf8').split(/^## /m)
  return parts.map((part) => {
    const [heading = '', ...lines] = part.replace(/^```\w.*?^```$/gms, '').split('\n')
    return {
      entry: withoutCode(heading),
      tables: tablesOf(lines),
      codes: codesOf([heading, ...lines].join('\n')),
    }
  })
}

function tablesOf(lines: readonly string[]): readonly Table[] {
  const blocks = lines
    .join('\n')
    .split(/\n{2,}/)
    .filter((block) => block.startsWith('|'))
  return blocks.flatMap((block) => {
    const [heads = [], , ...rows] = block.trim().split('\n').map(cellsOf)
    const [type = '', ...others] = heads.map(withoutCode)
    if (others[0] !== 'type' && others[0] !== 'returns') return []
    const inherited = rows.flatMap(([name = '']) => inheritedBy(name) ?? [])
    const own = rows.filter(([name = '']) => inheritedBy(name) === undefined)
    return [{ type, rows: own.map((row) => rowOf(others, row)), inherited }]
  })
}

function rowOf(heads: readonly string[], [first = '', ...cells]: readonly string[]): Row {
  const [, name = first, optional, args] = /^`(\w+)(\?)?(?:\((.*)\))?`$/.exec(first) ?? []
  const named = heads.map((head, index) => [head, withoutCode(cells[index] ?? '')])
  return { name, isOptional: optional !== undefined, args, cells: Object.fromEntries(named) }
}

function inheritedBy(cell: string) {
  if (!cell.startsWith('all of ')) return undefined
  const [type = '', ...except] = codesOf(cell)
  return { type, except }
}

/** A `|` inside of a cell is escaped, also in code (https://github.github.com/gfm/#example-200). */
const cellsOf = (line: string): readonly string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))

const codesOf = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)

const withoutCode = (text: string) => text.replaceAll('`', '').trim()
