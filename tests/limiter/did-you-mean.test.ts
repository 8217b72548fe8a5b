import { describe, expect, test } from 'vitest'
import { createLimiter, memory } from '../../src/index.ts'

const make = (options: object) => () =>
  createLimiter({ limit: 1, window: '1m', store: memory(), ...options })

describe('an option as another package calls it is an error that names ours', () => {
  const names = {
    max: 'limit',
    windowMs: 'window',
    keyGenerator: 'client',
    skip: 'match',
    prefix: 'prefix of the store',
    standardHeaders: 'headers',
  }
  for (const [theirs, ours] of Object.entries(names)) {
    test(theirs, () => {
      expect(make({ [theirs]: 1 })).toThrow(
        new RegExp(`^${theirs}: expected .+, got an unknown option \\(did you mean ${ours}`),
      )
      const policies = [{ limit: 1, window: '1m', [theirs]: 1 }]
      expect(() => createLimiter({ store: memory(), policies } as never)).toThrow(
        new RegExp(`^policies\\[0\\]\\.${theirs}: .*did you mean ${ours}`),
      )
    })
  }

  test('but a name that all objects have is no hint', () => {
    expect(make({ toString: 1 })).toThrow(/^toString: expected one of .+, got an unknown option$/)
  })
})

describe('a window as another package writes it is an error that writes it our way', () => {
  const texts = {
    '10 s': '10s',
    '1 minute': '1m',
    '5 minits': '5m',
    '24 hours': '24h',
    '7D': '7d',
    '100 ms': '100ms',
    '60': '60s',
    '5 MINUTES': '5m',
    '10s ': '10s',
  }
  for (const [theirs, ours] of Object.entries(texts)) {
    test(theirs, () => {
      expect(make({ window: theirs })).toThrow(`(did you mean "${ours}"?)`)
    })
  }

  for (const text of ['1 month', '1M', '1 decade', '5 milliseconds', 'soon', '1.5 h', '']) {
    test(`but not for ${JSON.stringify(text)}`, () => {
      expect(make({ window: text })).toThrow(/^window: (?!.*did you mean)/)
    })
  }
})

describe('a path as another package writes it is an error that writes it our way', () => {
  for (const theirs of ['/api/:path*', '/api/:rest+', '/api/(.*)', '/api/**', '/api/*splat']) {
    test(theirs, () => {
      expect(make({ match: theirs })).toThrow(`got "${theirs}" (did you mean "/api/*"?)`)
    })
  }

  const parameters = {
    '/users/[id]': '/users/:id',
    '/users/{id}/posts': '/users/:id/posts',
    '/[...slug]': '/*',
    '/docs/[[...slug]]': '/docs/*',
  }
  for (const [theirs, ours] of Object.entries(parameters)) {
    test(theirs, () => {
      expect(make({ match: theirs })).toThrow(`(did you mean "${ours}"?)`)
    })
  }

  for (const text of ['api/*', '/a b/:path*', 'https://x/:path*']) {
    test(`but not for ${text}`, () => {
      expect(make({ match: text })).toThrow(/^match: (?!.*did you mean)/)
    })
  }
})
