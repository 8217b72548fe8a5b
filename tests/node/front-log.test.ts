import { expect, test, vi } from 'vitest'
import { memory } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { front } from '../../src/worker/front.ts'
import { freePort } from '../support/listen.ts'

/** What the Worker writes to the console for 300 requests, a minute's pause, and one more. */
async function linesOf(env: object): Promise<readonly string[]> {
  const clock = manualClock()
  const policies = [{ limit: 1000, window: '1d' as const, client: () => ({ plain: 'a' }) }]
  const gate = front({ policies, store: memory({ clock }), clock })
  const lines: string[] = []
  const spy = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(line))
  try {
    for (let n = 0; n < 300; n++) await gate.fetch(new Request('https://example.com/'), env)
    clock.advance(60_000)
    await gate.fetch(new Request('https://example.com/'), env)
  } finally {
    spy.mockRestore()
  }
  return lines
}

const AGAIN = /\(and 299 more times since the last line\)$/

test('an origin that cannot be reached is logged once a minute, with how often it failed', async () => {
  const lines = await linesOf({ ORIGIN_URL: `http://127.0.0.1:${await freePort()}` })
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^tidegate: the origin did not respond: /)
  expect(lines[1]).toMatch(AGAIN)
})

test('so is a variable that cannot work', async () => {
  const lines = await linesOf({ ORIGIN_URL: 'nowhere' })
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^tidegate: ORIGIN_URL: /)
  expect(lines[1]).toMatch(AGAIN)
})

test('so is a request that is not forwarded', async () => {
  const lines = await linesOf({})
  expect(lines).toHaveLength(2)
  expect(lines[0]).toContain('ORIGIN_URL is not set')
  expect(lines[1]).toMatch(AGAIN)
})
