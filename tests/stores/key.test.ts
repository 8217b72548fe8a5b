import { describe, expect, test } from 'vitest'
import { keyOf, taggedKeyOf } from '../../src/stores/key.ts'

/** All texts of these characters up to a length. */
const texts = (chars: string, length: number): readonly string[] =>
  length === 0
    ? ['']
    : ['', ...texts(chars, length - 1).flatMap((text) => [...chars].map((char) => char + text))]

/** The separators of keys, braces of a hash tag, and what a brace could be escaped to. */
const clients = texts('a:{}%7B', 3)
const pairs = texts('a7', 2).flatMap((policy) => clients.map((client) => ({ policy, client })))

describe('two policies or clients never share a key, wherever a client puts separators', () => {
  for (const [kind, keyed] of [
    ['on a single server', keyOf],
    ['in a Cluster', taggedKeyOf],
  ] as const) {
    test(kind, () => {
      expect(new Set(pairs.map((pair) => keyed('ratelimit', pair))).size).toBe(pairs.length)
    })
  }

  test('and in a Cluster all keys of a client have one hash tag', () => {
    const tagOf = (policy: string, client: string) =>
      /\{(.*?)\}/.exec(taggedKeyOf('ratelimit', { policy, client }))?.[1]
    for (const client of clients) {
      expect(tagOf('', client)).toBe(tagOf('a7', client))
      expect(tagOf('', client)).not.toBe('')
    }
  })
})
