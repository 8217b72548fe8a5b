import { describe, expect, test } from 'vitest'
import { detectPlatform } from '../../src/environment.ts'
import { vercelKv } from '../../src/stores/vercel-kv.ts'

describe('vercelKv', () => {
  test('is refused on Workers with a client that cannot be kept from a cache mode they reject', () => {
    const make = () =>
      vercelKv({ eval: async () => [], evalsha: async () => [], incrby: async () => 1 })
    if (detectPlatform() === 'cloudflare') {
      expect(make).toThrow(
        /upstash\(\{ url: env\.KV_REST_API_URL, token: env\.KV_REST_API_TOKEN \}\)/,
      )
    } else {
      expect(make).not.toThrow()
    }
  })

  test('throws at construction when there is neither a client nor variables', () => {
    expect(() => vercelKv()).toThrow(/^KV_REST_API_URL: expected .+, got nothing/)
  })

  for (const client of ['kv', {}, null]) {
    test(`refuses ${JSON.stringify(client)} for a client`, () => {
      expect(() => vercelKv(client as never)).toThrow(/^vercelKv: expected .+, got/)
    })
  }
})
