/**
 * Which folder of `src` may import which: `npm run rooms`, a configuration of dependency-cruiser.
 * Imports of types count, unless a rule says otherwise.
 */
import { readFileSync } from 'node:fs'
import type { IConfiguration } from 'dependency-cruiser'

/** The files of `src` that package.json exports. */
const { exports }: { readonly exports: Readonly<Record<string, string | { default: string }>> } =
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const entries = Object.values(exports).flatMap((target) =>
  typeof target === 'string'
    ? []
    : [target.default.replace(/^\.\/dist\/(.*)\.js$/, '^src/$1\\.ts$')],
)

const OPERATORS_WING = '^src/(gateway|doctor|drill|simulation|cost|cli)/'
/** Sinks of the events of limiters. Only who asks for them gets them. */
const SINKS = '^src/(metrics|otel)/'
const FRAMEWORKS = '^(node_modules/)?(hono|next)(/|$)'

const rules: IConfiguration = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'adapters-are-imported-by-entries',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/adapters/', ...entries] },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'frameworks-are-imported-by-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: FRAMEWORKS },
    },
    {
      name: 'the-library-imports-no-program',
      severity: 'error',
      from: { path: '^src/', pathNot: OPERATORS_WING },
      to: { path: OPERATORS_WING },
    },
    {
      name: 'the-library-imports-no-sink',
      severity: 'error',
      from: { path: '^src/', pathNot: [SINKS, '^src/gateway/'] },
      to: { path: SINKS },
    },
    {
      // The class of the Durable Object is deployed by itself, and settles what others ask it to.
      name: 'settling-is-imported-by-nobody-who-does-not-settle',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/settling/', '^src/simulation/', '^src/stores/tidegate-object\\.ts'],
      },
      to: { path: '^src/settling/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'opentelemetry-is-imported-by-otel',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/otel/' },
      to: { path: '^(node_modules/)?@opentelemetry(/|$)' },
    },
    {
      name: 'client-imports-no-policy',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/policy/' },
    },
    {
      name: 'policy-and-response-import-only-types-of-stores',
      severity: 'error',
      from: { path: '^src/(policy|response)/' },
      to: { path: '^src/stores/', dependencyTypesNot: ['type-only'] },
    },
    {
      // Stores import `isolate/guard.ts` to name it as their guard, so that memory ships without it.
      name: 'stores-import-no-step-but-the-guard',
      severity: 'error',
      from: { path: '^src/stores/' },
      to: { path: '^src/(client|policy|limiter|response|adapters|worker)/' },
    },
  ],
  options: { parser: 'swc', doNotFollow: { path: 'node_modules' } },
}

export default rules
