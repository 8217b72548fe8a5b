import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { resolveStore } from '../../src/stores/named-store.ts'

const rest = { UPSTASH_REDIS_REST_URL: 'https://db.upstash.io', UPSTASH_REDIS_REST_TOKEN: 't' }
const tcp = { REDIS_URL: 'redis://127.0.0.1:6379' }
const object = { TIDEGATE: { idFromName: () => ({}), get: () => ({}) } }
/** Variables that are often meant for other programs. */
const leftovers: Readonly<Record<string, object>> = {
  'an address for TCP': { UPSTASH_REDIS_URL: 'rediss://db.upstash.io:6379' },
  'a read-only token': { KV_REST_API_READ_ONLY_TOKEN: 'r' },
  blanks: { KV_REST_API_URL: ' ', KV_REST_API_TOKEN: ' ' },
}

describe('an environment', () => {
  test('without a store names none', () => {
    expect(resolveStore([{}, { PATH: '/' }], 'REDIS_URL')).toBeUndefined()
    expect(resolveStore([{ TIDEGATE: 'on' }], 'TIDEGATE')).toBeUndefined()
    expect(resolveStore([{ REDIS_URL: '' }], 'REDIS_URL')).toBeUndefined()
  })

  test('with a REST API names it, whatever it names besides', () => {
    for (const other of ['REDIS_URL', 'TIDEGATE'] as const) {
      for (const environments of [[{ ...rest, ...tcp, ...object }], [tcp, rest], [object, rest]]) {
        const named = resolveStore(environments, other)
        expect(named).toMatchObject({ kind: 'rest', urlName: 'UPSTASH_REDIS_REST_URL' })
        expect(named?.kind === 'rest' && named.credentials()).toEqual({
          url: 'https://db.upstash.io',
          token: 't',
        })
      }
    }
  })

  test('with half of a REST API names it, and its credentials are an error', () => {
    const named = resolveStore([{ KV_REST_API_TOKEN: 't', ...tcp }], 'REDIS_URL')
    expect(named).toMatchObject({ kind: 'rest', urlName: 'KV_REST_API_URL' })
    expect(() => named?.kind === 'rest' && named.credentials()).toThrow(ConfigError)
  })

  for (const [name, variables] of Object.entries(leftovers)) {
    test(`with ${name} names the store of another kind first, and else the REST API`, () => {
      expect(resolveStore([{ ...variables, ...tcp }], 'REDIS_URL')).toEqual({
        kind: 'redis',
        urlName: 'REDIS_URL',
        url: tcp.REDIS_URL,
      })
      expect(resolveStore([{ ...variables, ...object }], 'TIDEGATE')).toEqual({
        kind: 'durable-object',
        namespace: object.TIDEGATE,
      })
      expect(resolveStore([{ ...variables, ...tcp }], 'TIDEGATE')?.kind).toBe('rest')
      expect(resolveStore([{ ...variables, ...object }], 'REDIS_URL')?.kind).toBe('rest')
    })
  }
})
