import { createClient } from '@vercel/kv'
import { describe, inject, test } from 'vitest'
import { vercelKv } from '../../src/stores/vercel-kv.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { gatewaySubject } from '../support/subjects.ts'

describe('store: vercel-kv over Redis', () => {
  storeConformance({
    test,
    make: () =>
      gatewaySubject(inject('gateway'), (endpoint, options) =>
        vercelKv(createClient({ ...endpoint, retry: { retries: 0 } }), options),
      ),
  })
})

describe('store: vercel-kv over a server that locks by key', () => {
  storeConformance({
    test,
    make: () =>
      gatewaySubject(inject('upstash'), (endpoint, options) =>
        vercelKv(createClient({ ...endpoint, retry: { retries: 0 } }), options),
      ),
  })
})
