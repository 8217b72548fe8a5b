import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { drilled } from './support/drilled.ts'

const variantsThatEvaded = ({ variants }: Awaited<ReturnType<typeof drilled>>) =>
  variants.filter(({ outcome }) => outcome === 'evaded').map(({ variant }) => variant)

describe('a limiter that trusts a header field', () => {
  for (const field of [
    'X-Real-IP',
    'CF-Connecting-IP',
    'True-Client-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'X-Vercel-Forwarded-For',
    'Forwarded',
  ]) {
    test(`is found: ${field}`, async () => {
      const report = await drilled({
        client: ({ headers, socket }) => `${headers[field.toLowerCase()] ?? socket.remoteAddress}`,
      })
      expect(report.ok).toBe(false)
      expect(report.bad).toEqual(['forged-address: failure'])
      expect(report.of('forged-address')?.says).toMatch(RegExp(`: ${field} \\(200\\)\\.$`))
      expect(variantsThatEvaded(report)).toEqual([field])
    })
  }

  test('is found if its limit is 1', async () => {
    const client = ({ headers }: { headers: object }) => `${Object(headers)['x-forwarded-for']}`
    const { bad } = await drilled({ limit: 1, client }, { options: { limit: 1 } })
    expect(bad).toEqual(['forged-address: failure'])
  })
})

describe('a limiter that takes an entry of X-Forwarded-For', () => {
  const entriesOf = ({ headers }: IncomingMessage) =>
    `${headers['x-forwarded-for'] ?? ''}`.split(', ').filter(Boolean)
  const FIRST = 'X-Forwarded-For (first of two)'
  const LAST = 'X-Forwarded-For (last of two)'
  /** Which entry a limiter takes; its client is the connection if there is no such entry. */
  const cases: Readonly<
    Record<string, readonly [(entries: readonly string[]) => string | undefined, string]>
  > = {
    'the first': [(entries) => entries[0], FIRST],
    'the last': [(entries) => entries.at(-1), LAST],
    'the first of a list alone': [
      (entries) => (entries.length > 1 ? entries[0] : undefined),
      FIRST,
    ],
    'the last of a list alone': [(entries) => (entries.length > 1 ? entries[1] : undefined), LAST],
    'the last that is public': [
      (entries) => entries.findLast((entry) => !entry.startsWith('10.')),
      FIRST,
    ],
    'the first, if it is no address for documentation': [
      (entries) =>
        entries.find((entry) => !/^(?:192\.0\.2|198\.51\.100|203\.0\.113)\./.test(entry)),
      'X-Forwarded-For',
    ],
  }
  for (const [entry, [pick, variant]] of Object.entries(cases)) {
    test(`is found: ${entry}`, async () => {
      const report = await drilled({
        client: (request) => `${pick(entriesOf(request)) ?? request.socket.remoteAddress}`,
      })
      expect(report.bad).toEqual(['forged-address: failure'])
      expect(variantsThatEvaded(report)).toContain(variant)
    })
  }

  const linesOf = ({ rawHeaders }: IncomingMessage) =>
    rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'x-forwarded-for')

  for (const [line, place] of [
    ['first', 0],
    ['last', -1],
  ] as const) {
    test(`is found if it takes the ${line} of several lines, and trusts no single line`, async () => {
      const report = await drilled({
        client(request) {
          const lines = linesOf(request)
          return `${(lines.length > 1 && lines.at(place)) || request.socket.remoteAddress}`
        },
      })
      expect(report.bad).toEqual(['forged-address: failure'])
      expect(variantsThatEvaded(report)).toContain(`X-Forwarded-For (${line} of two lines)`)
    })
  }

  test('passes if its own proxy appends the address, and it takes that', async () => {
    const { bad } = await drilled({
      client: (request) => `${[...entriesOf(request), request.socket.remoteAddress].at(-1)}`,
    })
    expect(bad).toEqual([])
  })
})

test('forged addresses are public, and belong to no client', async () => {
  const { received } = await drilled()
  const forged = received.flatMap(({ headers }) => headers['x-real-ip'] ?? [])
  expect(forged).not.toEqual([])
  for (const address of forged) expect(address).toMatch(/^1\.0\.0\.\d{2,3}$/)
})
