import { describe, expect, test } from 'vitest'
import { detectPlatform } from '../../src/environment.ts'
import { vercelKv } from '../../src/stores/vercel-kv.ts'

const client = { eval: async () => [], evalsha: async () => [] }

describe('vercelKv', () => {
  test('is refused on Workers, where its client cannot send, and made elsewhere', () => {
    const make = () => vercelKv(client)
    if (detectPlatform() === 'cloudflare') {
      expect(make).toThrow(
        /upstash\(\{ url: env\.KV_REST_API_URL, token: env\.KV_REST_API_TOKEN \}\)/,
      )
    } else {
      expect(make).not.toThrow()
    }
  })

  test('throws at construction when there is neither a client nor variables', () => {
    expect(() => vercelKv()).toThrow(/KV_REST_API_URL/)
  })
})
