import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { compileFieldWriters, type HeaderStyle } from '../../src/response/field-writers.ts'

const namesOf = (styles: HeaderStyle | readonly HeaderStyle[]) =>
  compileFieldWriters(styles).flatMap(({ names }) => names)

describe('header styles', () => {
  test('are one, several in order, or none', () => {
    expect(namesOf('draft-11')).toEqual(['RateLimit', 'RateLimit-Policy'])
    expect(namesOf(['x-ratelimit', 'draft-11'])).toEqual([
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'RateLimit',
      'RateLimit-Policy',
    ])
    expect(namesOf([])).toEqual([])
  })

  test('named twice are sent once', () => {
    expect(namesOf(['draft-11', 'draft-11'])).toEqual(['RateLimit', 'RateLimit-Policy'])
  })

  const bad: readonly (readonly [unknown, string])[] = [
    ['draft-6', '"draft-6"'],
    ['', '""'],
    ['toString', '"toString"'],
    [null, 'null'],
    [false, 'false'],
    [['draft-11', 'none'], '"none"'],
    [[undefined], 'nothing'],
    [{ draft: 11 }, 'an object'],
  ]
  for (const [styles, shown] of bad) {
    test(`that do not exist are an error: ${JSON.stringify(styles)}`, () => {
      expect(() => compileFieldWriters(styles as HeaderStyle)).toThrow(
        new ConfigError('headers', 'one of draft-11, x-ratelimit', shown),
      )
    })
  }
})
