import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Tests of what ships to the edge: the same files in each of the three runtimes. */
const edge =
  'tests/{client,policy,limiter,isolate,stores,response,adapters,worker,metrics}/**/*.test.ts'
/** Tests of what runs on Vercel and Node, and cannot on Workers. */
const vercel = 'tests/vercel/**/*.test.ts'
/** Tests of what needs Node: sockets. */
const node = 'tests/node/**/*.test.ts'
/** Real hosts around the built package. */
const hosts = 'tests/hosts/*.test.ts'
/** The programs for operators, and what speaks to them. */
const programs = [
  'tests/{gateway,doctor,drill}/*.test.ts',
  'tests/hosts/cli.test.ts',
  'tests/hosts/cli-secrets.test.ts',
  'tests/hosts/start.test.ts',
]
/** The hosts that install megabytes, or Prometheus, first: `npm run test:hosts`. */
const heavy = [
  'tests/hosts/ai.test.ts',
  'tests/hosts/docs-monitoring.test.ts',
  'tests/hosts/frameworks.test.ts',
  'tests/hosts/monitoring.test.ts',
  'tests/hosts/next.test.ts',
  'tests/hosts/prometheus.test.ts',
  'tests/hosts/vercel.test.ts',
]

/** Starts what stands behind the stores: a Redis, and gateways in front of it. */
const globalSetup = 'tests/support/servers.ts'

/** Two files at a time at least, also on two cores: many tests wait. Vitest would run one. */
const maxWorkers = Math.max(2, availableParallelism() - 1)
/** After the tests of what ships to the edge. */
const afterEdge = { maxWorkers: 2, sequence: { groupOrder: 1 } }
/** One file at a time, after the other projects: a check gives up on its store after a second. */
const alone = { maxWorkers: 1, sequence: { groupOrder: 2 } }

export default defineConfig({
  test: {
    reporters: ['default', './tests/support/summary.ts'],
    projects: [
      { test: { name: 'node', include: [edge, vercel, node], globalSetup, maxWorkers } },
      {
        test: {
          name: 'edge-runtime',
          environment: 'edge-runtime',
          include: [edge, vercel],
          globalSetup,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'workerd',
          include: ['tests/support/workerd.test.ts'],
          globalSetup,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'programs',
          include: programs,
          globalSetup,
          testTimeout: 60_000,
          ...afterEdge,
        },
      },
      {
        test: {
          name: 'hosts',
          include: [hosts],
          exclude: [...heavy, ...programs],
          globalSetup,
          testTimeout: 60_000,
          ...alone,
        },
      },
      {
        test: {
          name: 'heavy-hosts',
          include: heavy,
          globalSetup,
          testTimeout: 60_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
