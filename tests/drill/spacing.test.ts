import { describe, expect, test } from 'vitest'
import { LIMIT, type Plan, WINDOW_MS } from './support/deployment.ts'
import { drilled } from './support/drilled.ts'

/** The generic cell rate algorithm: `atOnce` requests at once, then one every `interval` ms. */
const gcra = (
  interval: number,
  atOnce = 1,
  keyOf = (_: { url?: string | undefined }) => '',
): Plan => {
  const arrivals = new Map<string, number>()
  return {
    waitFor(now, request) {
      const arrival = Math.max(arrivals.get(keyOf(request)) ?? now, now)
      const wait = Math.ceil(arrival - (atOnce - 1) * interval - now)
      if (wait > 0) return wait
      arrivals.set(keyOf(request), arrival + interval)
      return 0
    },
    fields: () => ({}),
    refusalBody: () => ['text/plain', ''],
  }
}

describe('a limiter that spaces requests is recognised', () => {
  for (const [limit, window, interval, atOnce] of [
    [10, '1s', 100, 1],
    [20, '2s', 100, 3],
    [10, '1m', 6000, 1],
    [10, '1m', 6000, 4],
  ] as const) {
    test(`${limit} per ${window}, ${atOnce} at once`, async () => {
      const { bad, of, variants } = await drilled(gcra(interval, atOnce), {
        options: { limit, window },
      })
      expect(bad).toEqual(['limit: warning', 'ratelimit: warning'])
      const burst = atOnce > 1 ? ` after ${atOnce} at once` : ''
      expect(of('limit')?.says).toContain(
        `: the limiter spaces requests, one every ${interval} ms${burst}. That is ${limit} per `,
      )
      expect(variants.filter(({ outcome }) => outcome === 'evaded')).toEqual([])
    })
  }

  test('and a spelling that it counts apart is found', async () => {
    const { bad } = await drilled(gcra(6000, 4, ({ url = '' }) => (/.\/\//.test(url) ? url : '')))
    expect(bad).toEqual(['limit: warning', 'ratelimit: warning', 'spelling: failure'])
  })
})

describe('a wrong limit is not mistaken for spacing', () => {
  for (const [name, plan] of Object.entries<Plan>({
    'a fixed window': { limit: 5, fields: () => ({}) },
    'a fixed window of one request': { limit: 1, fields: () => ({}) },
    'a window that ends after the burst': { limit: 5, window: 4000, fields: () => ({}) },
    'a window that ends after the burst, once': { limit: 2, window: 7000, fields: () => ({}) },
    'requests spaced twice as far': gcra((2 * WINDOW_MS) / LIMIT, 1),
  })) {
    test(name, async () => {
      const { bad, of } = await drilled(plan)
      expect(bad).toContain('limit: failure')
      expect(of('limit')?.says).toMatch(/^Only /)
    })
  }

  test('an interval longer than --max-wait is not awaited', async () => {
    const { of, waits } = await drilled(gcra(6000), { options: { maxWait: '1s' } })
    expect(of('limit')?.says).toMatch(/^Only 1 of 15 requests passed/)
    expect(of('limit')?.remedy).toContain('raise --max-wait to 6s')
    expect(waits).toEqual([])
  })
})
