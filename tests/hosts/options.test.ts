import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { installPackage } from '../support/package.ts'
import { compile, type Exports } from './support/exported-types.ts'
import { differences, moduleOf } from './support/options-compared.ts'
import { readSections } from './support/options-page.ts'

const PAGE = 'docs/options.md'

/** Types of objects that have no table. */
const WITHOUT_TABLE = [
  // docs/writing-a-store.md explains them.
  ...['Store', 'Demand', 'CountedKey', 'Owed', 'Settlement', 'Grant', 'Subject'],
  ...['GuardOptions', 'GuardedPolicy'],
  // What the package returns, and the host calls.
  'Front',
  // Requests, clients and bindings of others.
  ...['NodeRequest', 'SdkClient', 'IoRedisClient', 'NodeRedisClient', 'ObjectNamespace'],
]

const paths = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).exports)
const entries = paths.flatMap((path) =>
  path === './package.json' ? [] : [path.replace('.', 'tidegate')],
)
const { folder, remove } = installPackage(
  'hono',
  '@upstash/redis',
  '@types/node',
  'ioredis',
  '@opentelemetry/api',
)
const exportsOf = readExports()

const sections = readSections(PAGE)
const rootTables = sections.find(({ entry }) => entry === 'tidegate')?.tables ?? []
const { modules, stop } = compile(
  folder,
  sections.map((section) => moduleOf(section, exportsOf)),
)
afterAll(() => {
  stop()
  remove()
})

function readExports(): ReadonlyMap<string, Exports> {
  const codes = entries.map((entry) => `export type * as entry from '${entry}'`)
  const { modules, stop } = compile(folder, codes)
  try {
    return new Map(modules.map((module, index) => [`${entries[index]}`, module.exportsOf('entry')]))
  } finally {
    stop()
  }
}

describe(`${PAGE}, compared with the types of the package`, () => {
  test('has a section for each entry', () => {
    expect(sections.map(({ entry }) => entry).sort()).toEqual([...entries].sort())
  })

  for (const [index, module] of modules.entries()) {
    const { entry = '', tables = [], codes = [] } = sections[index] ?? {}
    const exported: Exports = exportsOf.get(entry) ?? new Map()

    describe(entry, () => {
      test('has types that exist', () => expect(module.errors).toEqual([]))

      for (const [at, table] of tables.entries()) {
        test(`gives each option of ${table.type} with type and default, and no other`, () => {
          expect(differences(module, table, at)).toEqual([])
        })
      }

      test('names each export, and each function with its arguments', () => {
        const named = ['default', ...codes, ...codes.flatMap((code) => code.split(/\W+/))]
        const missing = [...exported]
          .map(([name, { args }]) => (args === undefined ? name : `${name}(${args})`))
          .filter((name) => !named.includes(name))
        expect(missing).toEqual([])
      })

      test('has a table for each type of objects', () => {
        const known = [...tables, ...rootTables].map(({ type }) => type).concat(WITHOUT_TABLE)
        const missing = [...exported]
          .filter(([name, { isObject }]) => isObject && !known.includes(name))
          .map(([name]) => name)
        expect(missing).toEqual([])
      })
    })
  }

  test('leaves out no type that is gone', () => {
    const names = [...exportsOf.values()].flatMap((exported) => [...exported.keys()])
    expect(WITHOUT_TABLE.filter((name) => !names.includes(name))).toEqual([])
  })
})
