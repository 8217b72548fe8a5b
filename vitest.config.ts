import { defineConfig } from 'vitest/config'

/** Tests of what ships to the edge: the same files in each of the three runtimes. */
const edge = ['tests/{client,policy,limiter,stores,response,adapters}/**/*.test.ts']

const globalSetup = 'tests/support/servers.ts'

export default defineConfig({
  test: {
    reporters: ['default', './tests/support/summary.ts'],
    projects: [
      { test: { name: 'node', environment: 'node', include: edge, globalSetup } },
      { test: { name: 'edge-runtime', environment: 'edge-runtime', include: edge, globalSetup } },
      { test: { name: 'workerd', include: ['tests/support/workerd.test.ts'], globalSetup } },
    ],
    testTimeout: 20_000,
  },
})
