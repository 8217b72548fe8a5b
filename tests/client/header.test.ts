import { describe, expect, test } from 'vitest'
import { header } from '../../src/client/header.ts'
import { ConfigError } from '../../src/errors.ts'

const ask = (name: string, headers: HeadersInit) =>
  header(name)(new Request('https://example.com/', { headers }), {})

test('the client is the value of the header, whatever the case of its name', () => {
  expect(ask('X-Api-Key', { 'x-api-key': 'secret' })).toBe('secret')
})

test('white space around the value is not part of it', () => {
  expect(ask('x-api-key', { 'x-api-key': '  secret ' })).toBe('secret')
})

test('a request without the header names nobody', () => {
  expect(ask('x-api-key', {})).toBeNull()
})

test('a value on several lines is not that of one of them', () => {
  const lines: [string, string][] = [
    ['x-api-key', 'one'],
    ['x-api-key', 'two'],
  ]
  expect(ask('x-api-key', lines)).toBe('one, two')
})

describe('a name that no header can have is an error at construction', () => {
  const bad: readonly (readonly [unknown, string])[] = [
    ['', '""'],
    ['x api key', '"x api key"'],
    ['x-api-key:', '"x-api-key:"'],
    ['schlüssel', '"schlüssel"'],
    ['x-api-key\n', '"x-api-key\\n"'],
    [undefined, 'nothing'],
    [null, 'null'],
    [5, '5'],
    [['x-api-key'], 'a list'],
  ]
  for (const [name, shown] of bad) {
    test(shown, () => {
      expect(() => header(name as string)).toThrow(
        new ConfigError('header', 'the name of a header, such as "x-api-key"', shown),
      )
    })
  }
})
