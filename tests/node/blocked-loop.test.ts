import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { redisBackend } from '../../src/gateway/backend.ts'
import { createLimiter, type Decision, type Store } from '../../src/index.ts'
import { redisFromUrl } from '../../src/stores/redis-protocol/redis-url.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { manualClock } from '../../src/testing/index.ts'
import { startTimeout } from '../../src/timer.ts'
import { pause } from '../support/pause.ts'

const LIMIT = 100
const CHECKS = 120

/** Keeps this process busy, as a large JSON.parse or a slow render does. */
function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

/** Until commands are written to a socket that is open already; no answer is read yet. */
async function written(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await undefined
}

/** Until requests have opened their connections; too short for all answers to be read. */
const connected = () => pause(5)

/** How checks are decided whose answers arrive while this process is busy for `busy` ms. */
async function checkWhileBusy(
  store: Store,
  sent: () => Promise<void>,
  busy: number,
): Promise<readonly Decision[]> {
  const limiter = createLimiter({
    limit: LIMIT,
    window: '1m',
    client: (request) => ({ plain: new URL(request.url).pathname }),
    store,
    onStoreEvent: () => {},
  })
  const check = (client: string) => limiter.check(new Request(`https://example.com/${client}`))
  // Connects, and shows the script to the server.
  await check(crypto.randomUUID())
  const client = crypto.randomUUID()
  const checks = Array.from({ length: CHECKS }, () => check(client))
  await sent()
  block(busy)
  return Promise.all(checks)
}

describe('an answer that came while the process was busy', () => {
  test('over HTTP is counted, and none is admitted beyond the limit', async () => {
    const decisions = await checkWhileBusy(upstash(inject('gateway')), connected, 1200)
    expect(decisions.filter(({ allowed }) => allowed).length).toBe(LIMIT)
    expect(decisions.filter(({ degraded }) => degraded).length).toBe(0)
  })

  test('over TCP is counted, though the process was busy longer than Redis may be silent', async () => {
    const decisions = await checkWhileBusy(redisFromUrl('url', inject('redisUrl')), written, 2500)
    expect(decisions.filter(({ allowed }) => allowed).length).toBe(LIMIT)
    expect(decisions.filter(({ degraded }) => degraded).length).toBe(0)
  })
})

describe('a gateway that was busy for longer than Redis may be silent', () => {
  test('passes on the answers that came meanwhile', async () => {
    const socketTimeout = 200
    const redis = redisBackend(inject('redisUrl'), { socketTimeout })
    try {
      while (!redis.isAvailable) await connected()
      const answers = Promise.all(Array.from({ length: 10 }, () => redis.call(['ECHO', 'here'])))
      // The gateway writes the commands of one moment together.
      await new Promise((resolve) => setImmediate(resolve))
      block(3 * socketTimeout)
      for (const answer of await answers) expect(answer).toEqual({ value: Buffer.from('here') })
    } finally {
      await redis.stop()
    }
  })
})

describe('a timeout', () => {
  /** A timer, and a clock that shows how late it fires. */
  function timeoutOf(ms: number) {
    const clock = manualClock()
    const expire = vi.fn()
    const stop = startTimeout(ms, expire, { clock })
    return {
      expire,
      stop,
      /** Fires the timers that are due, `late` ms after their time. */
      pass(time: number, late = 0) {
        clock.advance(time + late)
        vi.advanceTimersByTime(time)
      },
    }
  }

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  test('expires after its time', () => {
    const { expire, pass } = timeoutOf(1000)
    pass(999)
    expect(expire).not.toHaveBeenCalled()
    pass(1)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('that fires a little late expires all the same', () => {
    const { expire, pass } = timeoutOf(1000)
    pass(1000, 50)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('that fires late is set again for as long as it was late', () => {
    const { expire, pass } = timeoutOf(1000)
    pass(1000, 51)
    pass(50)
    expect(expire).not.toHaveBeenCalled()
    pass(1)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('is set again once, and for half of its time at most', () => {
    const { expire, pass } = timeoutOf(1000)
    pass(1000, 60_000)
    pass(499)
    expect(expire).not.toHaveBeenCalled()
    pass(1, 60_000)
    expect(expire).toHaveBeenCalledOnce()
  })

  test('that was stopped never expires, set again or not', () => {
    const first = timeoutOf(1000)
    first.stop()
    first.pass(5000)
    expect(first.expire).not.toHaveBeenCalled()
    const again = timeoutOf(1000)
    again.pass(1000, 400)
    again.stop()
    again.pass(5000)
    expect(again.expire).not.toHaveBeenCalled()
  })
})
