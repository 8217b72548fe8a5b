/** `npm run soak`: a short run of it, and what lets it fail. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { type Answered, isLong, lateChecks } from '../../bench/soak/late-checks.ts'
import type { Sample } from '../../bench/soak/sample.ts'
import { type Events, failuresOf, judge, measuresOf } from '../../bench/soak/verdict.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'soak-'))
afterAll(() => rmSync(folder, { recursive: true }))

const soak = (...args: readonly string[]) =>
  run(process.execPath, ['bench/soak/main.ts', ...args, '--out', join(folder, 'soak')])

test('ten seconds of faults cause no 5xx, rejection, socket or key that stays', async () => {
  const { stdout } = await soak('--minutes', '0.17', '--seed', '857', '--rate', '100')
  expect(stdout).toContain('seed 857')
  const { requests, calls, failures, incidents, events, times } = JSON.parse(
    readFileSync(join(folder, 'soak.json'), 'utf8'),
  )
  expect(failures).toEqual([])
  expect(requests).toBeGreaterThan(500)
  expect(calls).toBeGreaterThan(100)
  expect(Object.keys(incidents).length).toBeGreaterThan(1)
  expect(Object.keys(events.statuses)).toContain('200')
  expect(times.inside.max).toBeGreaterThan(0)
  expect(times.seen.p50).toBeGreaterThan(times.inside.p50)
  expect(times.stalls.max).toBeGreaterThan(0)
  expect(readFileSync(join(folder, 'soak.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s)
}, 120_000)

test('an option out of bounds is named', async () => {
  await expect(soak('--minutes', '100000')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--minutes: expected a number from 0.1 to 1440, got "100000"'),
  })
})

/** Twenty minutes of samples. Requests under way raise all of it for a while, again and again. */
function samples(more: (at: number) => Partial<Sample> = () => ({})): readonly Sample[] {
  return Array.from({ length: 240 }, (_, index) => {
    const at = index * 5
    const busy = (index * 7919) % 10
    return {
      at,
      heaps: [4e6 + busy * 2e5, 4e6 + busy * 1e5],
      rss: 2e8 + busy * 1e6,
      sockets: [busy * 10, busy * 9],
      workerdSockets: 60 + busy * 30,
      redisSockets: 1,
      lines: [0, 0],
      requests: at * 200,
      ...more(at),
    }
  })
}

const GOOD: Events = {
  statuses: { 200: 1000, 429: 10 },
  failures: [],
  lateChecks: [],
  rejections: [],
  keysWithoutExpiry: [],
  socketsAtEnd: 0,
}

const failures = (measured: readonly Sample[], events: Partial<Events> = {}) =>
  failuresOf(judge(measuresOf(2), measured), { ...GOOD, ...events })

describe('a soak passes', () => {
  test('if nothing grows but for a while', () => {
    expect(failures(samples())).toEqual([])
  })

  test('if what an isolate remembers fills up in the first half', () => {
    const filling = samples((at) => ({ heaps: [4e6 + Math.min(at, 500) * 1e4, 4e6] }))
    expect(failures(filling)).toEqual([])
  })

  test('without a word about growth if it was too short for a trend', () => {
    const short = samples((at) => ({ heaps: [at * 1e6, 4e6] })).slice(0, 10)
    expect(failures(short)).toEqual([])
  })
})

describe('a soak fails', () => {
  test('if each request leaves 25 bytes in one isolate', () => {
    const leaking = samples((at) => ({ heaps: [4e6, 4e6 + at * 100 * 25 + ((at / 5) % 10) * 1e5] }))
    const [failure, ...others] = failures(leaking)
    expect(failure).toMatch(/^heap of isolate 2 grows: by 1\.\d+ MB .*, more than 1 /)
    expect(others).toEqual([])
  })

  test('if three connections in a minute are never closed', () => {
    const leaking = samples((at) => ({ sockets: [Math.floor(at / 20) + (at % 7), 0] }))
    expect(failures(leaking)).toEqual([
      expect.stringContaining('connections of isolate 1 grows: by 29'),
    ])
  })

  test.each([
    [
      { statuses: { 200: 9, 503: 1 }, failures: ['/x: 503'] },
      'responses that failed: 503: 1; /x: 503',
    ],
    [
      { statuses: { 'no answer': 2 }, failures: ['/x: no'] },
      'responses that failed: no answer: 2; /x: no',
    ],
    [{ lateChecks: ['/batch: 9000 ms'] }, 'checks beyond the deadline: 1; /batch: 9000 ms'],
    [{ rejections: ['Error: lost'] }, 'unhandled rejections: 1; Error: lost'],
    [{ keysWithoutExpiry: ['ratelimit:a'] }, 'keys without expiry: 1, such as ratelimit:a'],
    [{ socketsAtEnd: 4 }, 'connections that stay open without requests: 4'],
  ])('with %j', (events, message) => {
    expect(failures(samples(), events)).toEqual([message])
  })
})

describe('a check that took longer than the deadline and a half', () => {
  const stall = { isolate: 0, from: 10_000, to: 10_300, late: 300 }
  const check = (inside: number): Answered => ({
    path: 'strict',
    isolate: 0,
    sent: 10_400,
    ended: 10_400 + inside,
    inside,
  })

  test('is long from a tenth of a second more on', () => {
    expect([1500, 1600, 1601].map((inside) => isLong({ inside }))).toEqual([false, false, true])
  })

  test('is late if no timer of its isolate was late', () => {
    expect(lateChecks([check(1700)], [])).toEqual([
      '/strict: 1700 ms; timers of its isolate were 0 ms late',
    ])
  })

  test('is explained by a timer of its isolate that was late, four times at most', () => {
    expect(lateChecks([check(2800)], [stall])).toEqual([])
    expect(lateChecks([check(2801)], [stall])).toHaveLength(1)
  })

  test('is explained by no timer of another isolate or time', () => {
    expect(lateChecks([check(2000)], [{ ...stall, isolate: 1 }])).toHaveLength(1)
    expect(lateChecks([check(2000)], [{ ...stall, from: 9000, to: 9800 }])).toHaveLength(1)
  })
})
