import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePath, parsePath } from '../../src/policy/path.ts'
import { ORIGINS } from '../support/origins.ts'

/** What stands in hostile spellings. The URL parser has turned `\` and raw `..` into other paths. */
const PIECES = [
  '/',
  '/x',
  '/..;',
  '..',
  '.',
  ';',
  '%3b',
  '%2f',
  '%5c',
  '%2e',
  '%252f',
  '%23',
  '%00',
]

/** All texts of up to `length` pieces. */
function texts(length: number): readonly string[] {
  if (length === 0) return ['']
  const shorter = texts(length - 1)
  return [...new Set(['', ...shorter.flatMap((text) => PIECES.map((piece) => text + piece))])]
}

const short = texts(1)
const EVERY_SHORT = [
  ...texts(4).map((between) => `/api${between}login`),
  ...texts(3).map((before) => `/${before}/api/login`),
  ...texts(3).map((after) => `/api/login${after}`),
  ...texts(2).map((before) => `/index.php${before}/api/login`),
  ...texts(2).flatMap((between) => short.map((after) => `/api/${between}/login${after}`)),
  ...texts(2).flatMap((between) => short.map((before) => `/${before}/api${between}/login`)),
]

/** What origins get: the path as a URL parser of the client's or ours leaves it. */
const forwarded = (spelling: string) => new URL(`https://example.com${spelling}`).pathname

const patterns = new Map<string, RegExp>()

/** Whether a policy for this path of plain names counts a request. */
function isCounted(routed: string, path: string): boolean {
  const pattern = patterns.get(routed) ?? compilePath('match', routed)
  patterns.set(routed, pattern)
  return parsePath(`https://example.com${path}`).some((reading) => pattern.test(reading))
}

const isPlain = (routed: string | undefined): routed is string =>
  routed !== undefined && /^(?:\/[a-z]+)+$/.test(routed)

describe('a policy counts whatever reaches its path', () => {
  for (const [name, route] of Object.entries(ORIGINS)) {
    test(`at ${name}, of all short spellings`, () => {
      let logins = 0
      const missed: string[] = []
      for (const path of new Set(EVERY_SHORT.map(forwarded))) {
        const routed = route(path)
        if (!isPlain(routed)) continue
        if (routed === '/api/login') logins++
        if (!isCounted(routed, path)) missed.push(`${path} → ${routed}`)
      }
      expect(logins).toBeGreaterThan(0)
      expect(missed).toEqual([])
    })

    test(`at ${name}, of long spellings`, () => {
      const hostile = [...PIECES, '%2e%2e', '/..;', '%c0%af', '%6c', 'A', '%u002f', '%2523', ' ']
      const text = fc.array(fc.constantFrom(...hostile, 'api', 'login', '/api/', '/login'), {
        maxLength: 10,
      })
      fc.assert(
        fc.property(text, text, text, (before, between, after) => {
          const spelling = `/${before.join('')}/api/${between.join('')}/login${after.join('')}`
          const path = forwarded(spelling)
          const routed = route(path)
          if (isPlain(routed)) expect(isCounted(routed, path), `${path} → ${routed}`).toBe(true)
        }),
        { numRuns: 1000 },
      )
    })
  }
})
