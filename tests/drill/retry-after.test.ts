import { describe, expect, test } from 'vitest'
import { LIMIT, WINDOW_MS } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

describe('a limiter whose Retry-After', () => {
  test('is too early is found', async () => {
    const { bad, of } = await drilled({ retryAfter: () => '3' })
    expect(bad).toEqual([
      'agreement: warning',
      'problem: failure',
      'retry-after: failure',
      'next-window: not examined',
    ])
    expect(of('retry-after')?.says).toMatch(
      /^A request 3(\.\d)? s after a refusal with Retry-After: 3 was refused again, with Retry-After: 3\.$/,
    )
  })

  test('is always the whole window is found', async () => {
    const { bad, of } = await drilled({ retryAfter: () => '60', fields: () => ({}) })
    expect(bad).toContain('retry-after: failure')
    expect(of('retry-after')?.says).toMatch(
      /^Retry-After was 60, and a request passed after 58 s already/,
    )
  })

  test('is much too late is found', async () => {
    const { of } = await drilled({ window: 20_000, retryAfter: () => '60' })
    expect(of('retry-after')).toMatchObject({
      level: 'failure',
      says: 'Retry-After was 60, and a request passed after 30 s already.',
    })
  })

  test('is missing is warned of, and the next window is tried all the same', async () => {
    const { bad, of, waits } = await drilled({ retryAfter: () => undefined })
    expect(bad).toEqual(['retry-after: warning'])
    expect(waits).toEqual([expect.stringMatching(/^waits 5\d s for the next window$/)])
    expect(of('next-window')?.level).toBe('ok')
  })

  test('is no number is found', async () => {
    for (const value of ['soon', '-1', '1.5', '0']) {
      const { of } = await drilled({ retryAfter: () => value })
      expect(of('retry-after')?.level).toBe('failure')
    }
  })

  test('is a date is understood', async () => {
    const start = Date.UTC(2026, 0, 1) - 1
    const { bad } = await drilled(
      {
        retryAfter: () => new Date(start + WINDOW_MS + 1000).toUTCString(),
      },
      { options: { maxWait: '2m' } },
    )
    expect(bad.filter((one) => !one.startsWith('problem'))).toEqual([])
  })

  test('is longer than --max-wait, but not than the window, is not examined', async () => {
    const { bad, of, took } = await drilled({}, { options: { maxWait: '10s' } })
    expect(bad).toEqual(['retry-after: not examined', 'next-window: not examined'])
    expect(of('retry-after')?.says).toMatch(/^Retry-After is 5\d s, longer than --max-wait\.$/)
    expect(took).toBeLessThan(10_000)
  })

  test('is longer than --max-wait and than the window is false, which its end shows', async () => {
    const { bad, of, took, waits } = await drilled({
      retryAfter: () => '7200',
      refusalBody: () => ['text/plain', ''],
      fields: () => ({}),
    })
    expect(bad).toEqual(['ratelimit: warning', 'retry-after: failure'])
    expect(of('retry-after')?.says).toMatch(
      /^Retry-After was 7200, longer than the window of 60 s, and a request passed after 60(\.\d)? s already\.$/,
    )
    expect(waits).toEqual(['waits 60 s, since Retry-After is longer than the window'])
    expect(of('next-window')?.level).toBe('ok')
    expect(took).toBeLessThan(80_000)
  })

  test('is longer than both is false without a wait, if the window is longer than --max-wait', async () => {
    const { of, took } = await drilled(
      { retryAfter: () => '7200' },
      { options: { maxWait: '10s' } },
    )
    expect(of('retry-after')).toMatchObject({
      level: 'failure',
      says: 'Retry-After was 7200, longer than the window of 60 s.',
    })
    expect(took).toBeLessThan(10_000)
  })

  test('is the end of a ban is false too, since the policy has no ban', async () => {
    let banned = 0
    let used = 0
    const { of } = await drilled({
      waitFor(now) {
        if (++used > LIMIT) banned ||= now + 7_200_000
        return Math.max(0, banned - now)
      },
    })
    expect(of('retry-after')).toMatchObject({
      level: 'failure',
      says: expect.stringMatching(/and the request at the end of the window was refused\.$/),
      remedy: expect.stringMatching(/^If the limiter bans clients after a refusal/),
    })
  })

  test('moves with each refused request is found', async () => {
    let end = 0
    let used = 0
    const { of } = await drilled({
      // Each request opens the window anew.
      waitFor(now) {
        if (now >= end) used = 0
        end = now + WINDOW_MS
        return ++used > LIMIT ? WINDOW_MS : 0
      },
    })
    expect(of('retry-after')).toMatchObject({
      level: 'failure',
      remedy: expect.stringMatching(/^Refused requests must not move/),
    })
  })
})
