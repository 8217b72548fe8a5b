import { describe, expect, inject, test, vi } from 'vitest'
import { vercelKv } from '../../src/stores/vercel-kv.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { expectGrantsOfMemory } from '../support/differential.ts'
import { behind } from '../support/subjects.ts'

// `kv` looks for its variables as soon as it is imported by a tool that looks at its exports.
const { url, token } = inject('gateway')
process.env.KV_REST_API_URL = url
process.env.KV_REST_API_TOKEN = token
const { createClient, kv } = await import('@vercel/kv')
const { createClient: createClientOf2, kv: kvOf2 } = await import('vercel-kv-2')

const overRedis = behind(
  () => inject('gateway'),
  (endpoint, options) => vercelKv(createClient(endpoint), options),
)

describe('store: vercel-kv over Redis', () => {
  storeConformance({ test, ...overRedis })
})

describe('store: vercel-kv 2 over Redis', () => {
  storeConformance({
    test,
    ...behind(
      () => inject('gateway'),
      (endpoint, options) => vercelKv(createClientOf2(endpoint), options),
    ),
  })
})

test('vercel-kv grants what memory grants, for any sequence of demands and waits', async () => {
  await expectGrantsOfMemory(overRedis.make, 40)
})

describe('store: vercel-kv over a server that locks by key', () => {
  storeConformance({
    test,
    ...behind(
      () => inject('upstash'),
      (endpoint, options) => vercelKv(createClient(endpoint), { ...options, keyLocking: true }),
    ),
  })
})

test('kv of @vercel/kv and no client at all take their variables from the process', async () => {
  const demand = () => ({ policy: '', client: crypto.randomUUID(), limit: 1, window: 500, cost: 1 })
  for (const store of [vercelKv(kv), vercelKv(kvOf2), vercelKv()]) {
    expect((await store.take([demand()]))[0]?.granted).toBe(1)
  }
})

test('no client at all, and the read-only token in the place of the other, is an error', () => {
  vi.stubEnv('KV_REST_API_READ_ONLY_TOKEN', token)
  try {
    expect(() => vercelKv()).toThrow(/^KV_REST_API_TOKEN: expected .+, got the read-only token/)
  } finally {
    vi.unstubAllEnvs()
  }
})
