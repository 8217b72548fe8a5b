import { describe, expect, test } from 'vitest'
import { removePolicies } from '../../src/response/remove-policies.ts'

const OURS = new Set(['all', 'default'])

/** What is left of a field's value. */
const left = (value: string) =>
  removePolicies(new Response('x', { headers: { RateLimit: value } }), OURS).headers.get(
    'ratelimit',
  )

describe('of an upstream server', () => {
  const kept = [
    '"origin";r=5;t=1',
    '"a, \\"all\\";r=1";r=5',
    '"5-in-1min";q=5;w=60;pk=:YTQ=:',
    '"x";a;b=?1;c=tok/en;d="s;,";e=-1.5;f=@17, "y"',
    '"All";r=1',
  ]
  for (const value of kept) {
    test(`policies of other names stay: ${value}`, () => expect(left(value)).toBe(value))
  }

  const dropped: readonly (readonly [string, string | null])[] = [
    ['"all";r=5', null],
    ['"all"', null],
    ['"all" ; r=5;t=1', null],
    ['"origin";r=1,"all";r=5 ,\t"default";r=2', '"origin";r=1'],
    ['"all";r=5;s="a, \\"b", "origin";r=1', '"origin";r=1'],
  ]
  for (const [value, expected] of dropped) {
    test(`policies with names of ours do not: ${value}`, () => expect(left(value)).toBe(expected))
  }

  // Clients would ignore such a field together with the items that are added to it.
  const older = [
    'limit=10, remaining=5, reset=1',
    '5;w=60',
    'all;r=5',
    '"a";R=5',
    '"a";r=5, , "b"',
    '"a',
    '"a" "b"',
  ]
  for (const value of older) {
    test(`a field that is no list of policies does not: ${value}`, () =>
      expect(left(value)).toBeNull())
  }

  test('fields of both names are read, and all else of the response stays', async () => {
    const headers = { RateLimit: '"all";r=1', 'RateLimit-Policy': '"all";q=1, "b";q=2', 'X-A': '1' }
    const response = removePolicies(new Response('body', { status: 404, headers }), OURS)
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/plain;charset=UTF-8',
      'ratelimit-policy': '"b";q=2',
      'x-a': '1',
    })
    expect([response.status, await response.text()]).toEqual([404, 'body'])
  })

  test('a response that names none of ours is the same object', () => {
    const response = new Response('x', { headers: { RateLimit: '"b";r=1' } })
    expect(removePolicies(response, OURS)).toBe(response)
  })
})
