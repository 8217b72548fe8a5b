import type { Exports, Module, Property } from './exported-types.ts'
import type { Row, Section, Table } from './options-page.ts'

/** For a module that `differences` compares: the type of a property, and what of it is no function. */
const HELPERS = `
type Value<T, Name> = Name extends keyof T
  ? {} extends Pick<T, Name> ? Exclude<T[Name], undefined> : T[Name]
  : never
type Data<T> = T extends (...args: never) => unknown ? never
  : T extends readonly (infer Entry)[] ? Entry[] : T
`

/**
 * Returns the code of a module that exports the types of a section: of each table, and of each row as
 * the page shows it and as the package declares it.
 *
 * @param exported what each entry exports
 */
export function moduleOf(
  { entry, tables }: Section,
  exported: ReadonlyMap<string, Exports>,
): string {
  const imported = new Set(['default'])
  const entries = [entry, ...[...exported.keys()].filter((other) => other !== entry)]
  const imports = entries.map((from) => {
    const names = [...(exported.get(from)?.keys() ?? [])].filter((name) => !imported.has(name))
    for (const name of names) imported.add(name)
    return `import type { ${names.join(', ')} } from '${from}'`
  })
  return [
    ...imports,
    `import type { Context } from 'hono'`,
    HELPERS,
    ...tables.flatMap(({ type, rows, inherited }, table) => [
      `export type table_${table} = ${type}`,
      ...inherited.map((from) => `export type inherited_${table}_${from.type} = ${from.type}`),
      ...rows.flatMap(({ name, cells }, row) => {
        const at = `${table}_${row}`
        return [
          `export type shown_${at} = ${cells.type ?? 'never'}`,
          `export type declared_${at} = Value<${type}, '${name}'>`,
          `export type shown_data_${at} = Data<shown_${at}>`,
          `export type declared_data_${at} = Data<declared_${at}>`,
        ]
      }),
    ]),
  ].join('\n')
}

/** The differences between a table of the page and its type, the section's table `index`. */
export function differences(module: Module, table: Table, index: number): readonly string[] {
  const declared = new Map(
    module.propertiesOf(`table_${index}`).map((property) => [property.name, property]),
  )
  const inherited = new Map(
    table.inherited.flatMap(({ type, except }) =>
      module
        .propertiesOf(`inherited_${index}_${type}`)
        .filter(({ name }) => !except.includes(name))
        .map((property) => [property.name, property]),
    ),
  )
  const shown = table.rows.map(({ name }) => name)
  return [
    ...[...declared.keys()]
      .filter((name) => !shown.includes(name) && !inherited.has(name))
      .map((name) => `${name}: missing on the page`),
    ...[...inherited.values()]
      .filter(({ name, declaredAt }) => declared.get(name)?.declaredAt !== declaredAt)
      .map(({ name }) => `${name}: not the same option as in the type that the page names`),
    ...table.rows.flatMap((row, at) => {
      const property = declared.get(row.name)
      if (property === undefined) return [`${row.name}: only on the page`]
      const problems = [
        ...(row.cells.returns === undefined
          ? differencesOfType(module, `${index}_${at}`)
          : differencesOfMethod(row, property)),
        ...differencesOfDefault(row, property),
      ]
      return problems.map((problem) => `${row.name}: ${problem}`)
    }),
  ]
}

/**
 * The page may show a function with fewer arguments, and without their types. All else must be the
 * declared type, but for `readonly`.
 */
function differencesOfType(module: Module, at: string): readonly string[] {
  const isPossible = module.isAssignable(`shown_${at}`, `declared_${at}`)
  const isComplete =
    module.isUnknown(`declared_${at}`) ||
    module.isAssignable(`declared_data_${at}`, `shown_data_${at}`)
  return isPossible && isComplete ? [] : [`the type is ${module.textOf(`declared_${at}`)}`]
}

function differencesOfMethod({ args, cells }: Row, { method }: Property): readonly string[] {
  const want = `(${method?.args}) => ${method?.returns}`
  return `(${args}) => ${cells.returns}` === want ? [] : [`the type is ${want}`]
}

function differencesOfDefault(row: Row, { isOptional, byDefault }: Property): readonly string[] {
  if (row.cells.default === undefined) {
    if (row.isOptional === isOptional) return []
    return [isOptional ? 'is optional: write `name?`' : 'is required']
  }
  const want = isOptional ? plain(byDefault ?? 'none') : 'required'
  return row.cells.default === want ? [] : [`the default is ${want}`]
}

const plain = (text: string) => text.replaceAll('`', '').replace(/\s+/g, ' ')
