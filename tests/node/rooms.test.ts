/** The rules of `npm run rooms`, over small trees that keep or break them. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, test, vi } from 'vitest'

// Each test starts a process.
vi.setConfig({ testTimeout: 30_000 })

const TOOL = resolve('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

/** What each file of a tree imports: modules, or `type` and a module. */
type Tree = Readonly<Record<string, readonly string[]>>

/** Checks a tree by the rules. Returns the exit code, and the rule and the file of each violation. */
function check(tree: Tree) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-rooms-'))
  try {
    for (const [file, imports] of Object.entries(tree)) {
      const path = join(folder, 'src', file)
      mkdirSync(dirname(path), { recursive: true })
      const lines = imports.map((text, index) => {
        const [module, type = ''] = text.split(' ').reverse()
        return `import ${type} { x as x${index} } from '${module}'\n`
      })
      writeFileSync(path, `${lines.join('')}export const x = 1\n`)
    }
    const args = [TOOL, '--config', resolve('scripts/rooms.ts'), 'src']
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    const violations = [...stdout.matchAll(/^ +error ([\w-]+): src\/(\S+)/gm)]
    return { status, violations: violations.map(([, rule, file]) => `${rule}: ${file}`).sort() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A tree that keeps all rules. */
const TIDY: Tree = {
  'index.ts': ['./adapters/hono.ts', './limiter/limiter.ts'],
  'adapters/hono.ts': ['type hono', '../limiter/limiter.ts'],
  'limiter/limiter.ts': ['../policy/policy.ts', '../response/mark.ts', 'type ../stores/store.ts'],
  'policy/policy.ts': ['../client/client.ts', 'type ../stores/store.ts'],
  'response/mark.ts': ['type ../stores/store.ts'],
  'client/client.ts': ['../errors.ts'],
  'stores/store.ts': ['../errors.ts'],
  'doctor/doctor.ts': ['../stores/store.ts', '../cli/main.ts'],
  'cli/main.ts': ['../errors.ts'],
  'errors.ts': [],
}

test('a tree that keeps the rules passes', () => {
  expect(check(TIDY)).toEqual({ status: 0, violations: [] })
})

test.each<[string, Tree, readonly string[]]>([
  [
    'a circle',
    { 'policy/a.ts': ['./b.ts'], 'policy/b.ts': ['./a.ts'] },
    ['no-circles: policy/a.ts'],
  ],
  [
    'a circle through a type alone',
    { 'policy/a.ts': ['./b.ts'], 'policy/b.ts': ['type ./a.ts'] },
    ['no-circles: policy/a.ts'],
  ],
  [
    'an adapter in the limiter',
    { 'limiter/a.ts': ['../adapters/hono.ts'], 'adapters/hono.ts': [] },
    ['adapters-are-imported-by-entries: limiter/a.ts'],
  ],
  [
    'a framework outside of the adapters',
    { 'limiter/a.ts': ['type hono'] },
    ['frameworks-are-imported-by-adapters: limiter/a.ts'],
  ],
  ...['gateway', 'doctor', 'drill', 'simulation', 'cost', 'cli'].map(
    (room): [string, Tree, readonly string[]] => [
      `${room} in the library`,
      { 'stores/a.ts': [`../${room}/b.ts`], [`${room}/b.ts`]: [] },
      ['the-library-imports-no-program: stores/a.ts'],
    ],
  ),
  ...['metrics', 'otel'].map((room): [string, Tree, readonly string[]] => [
    `${room} in the library`,
    { 'limiter/a.ts': [`type ../${room}/b.ts`], [`${room}/b.ts`]: [] },
    ['the-library-imports-no-sink: limiter/a.ts'],
  ]),
  [
    'OpenTelemetry in the metrics',
    { 'metrics/a.ts': ['type @opentelemetry/api'] },
    ['opentelemetry-is-imported-by-otel: metrics/a.ts'],
  ],
  [
    'a policy in the client',
    { 'client/a.ts': ['type ../policy/policy.ts'], 'policy/policy.ts': [] },
    ['client-imports-no-policy: client/a.ts'],
  ],
  [
    'code of a store in the policy and in the response',
    {
      'policy/a.ts': ['../stores/store.ts'],
      'response/a.ts': ['../stores/store.ts'],
      'stores/store.ts': [],
    },
    [
      'policy-and-response-import-only-types-of-stores: policy/a.ts',
      'policy-and-response-import-only-types-of-stores: response/a.ts',
    ],
  ],
  ...['client', 'limiter', 'response', 'worker'].map((room): [string, Tree, readonly string[]] => [
    `${room} in the stores`,
    { 'stores/a.ts': [`type ../${room}/b.ts`], [`${room}/b.ts`]: [] },
    ['stores-import-no-step-but-the-guard: stores/a.ts'],
  ]),
])('a tree with a violation fails: %s', (_, tree, violations) => {
  const found = check(tree)
  expect(found.violations).toEqual(violations)
  expect(found.status).toBe(violations.length)
})
