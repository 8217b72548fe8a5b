/** The function `send` of a collector: what has changed, every so many seconds. */
import { expect, test } from 'vitest'
import { createLimiter, memory } from '../../src/index.ts'
import { type CollectorOptions, collector, type MetricsReport } from '../../src/metrics/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { flush } from '../support/scripted-store.ts'

function sending(options: Partial<CollectorOptions> = {}) {
  const clock = manualClock()
  const reports: MetricsReport[] = []
  const works: Promise<unknown>[] = []
  const metrics = collector({
    send: (report) => void reports.push(report),
    every: '10s',
    clock,
    timer: clock.timer,
    ...options,
  })
  const { onDecision, onStoreEvent } = metrics
  const store = memory({ clock })
  const limiter = createLimiter({ limit: 99, window: '1h', store, clock, onDecision, onStoreEvent })
  const check = () =>
    limiter.check(new Request('https://example.com/'), {
      ip: '203.0.113.7',
      env: { NAME: 'binding' },
      waitUntil: (work) => void works.push(work),
    })
  const checksIn = (report: MetricsReport | undefined) =>
    report?.metrics.find(({ name }) => name === 'checks')?.points[0]?.value
  return { clock, reports, works, metrics, check, checksIn }
}

/** What is logged as an error meanwhile. */
async function errorsOf(run: () => Promise<unknown>): Promise<readonly string[]> {
  const { error } = console
  const lines: string[] = []
  console.error = (line: string) => lines.push(line)
  try {
    await run()
  } finally {
    console.error = error
  }
  return lines
}

const HANGS = 'a report of the metrics did not end within 30 s; the next one has its counts'

test('a report has what changed since the previous one, and comes once per period', async () => {
  const { clock, reports, works, check, checksIn } = sending()
  for (let second = 0; second <= 20; second++) {
    await check()
    clock.advance(1000)
  }
  expect(reports.map(({ period }) => period)).toEqual([10_000, 10_000])
  expect(reports.map(checksIn)).toEqual([11, 10])
  expect(works).toHaveLength(2)
  const [first, second] = reports
  const time = (report?: MetricsReport) =>
    report?.metrics.find(({ name }) => name === 'check.duration')?.points[0]
  expect([time(first)?.value, time(second)?.value]).toEqual([11, 10])
  expect(time(second)?.buckets?.reduce((sum, count) => sum + count)).toBe(10)
  // Nothing was refused or degraded.
  expect(second?.metrics.some(({ name }) => name === 'degraded')).toBe(false)
})

test('`send` gets the bindings of the host, and is kept alive', async () => {
  let isSent = false
  const { clock, works, check } = sending({
    async send(_, { env }) {
      await Promise.resolve()
      isSent = JSON.stringify(env) === '{"NAME":"binding"}'
    },
  })
  await check()
  clock.advance(10_000)
  await check()
  await Promise.all(works)
  expect(isSent).toBe(true)
})

test('a report that cannot be sent is logged, and its counts are in the next one', async () => {
  let isDown = true
  const reports: MetricsReport[] = []
  const { clock, metrics, check, checksIn } = sending({
    async send(report) {
      if (isDown) throw new Error('no route')
      reports.push(report)
    },
  })
  const lines = await errorsOf(async () => {
    await check()
    clock.advance(10_000)
    await check()
    await flush()
  })
  expect(lines).toEqual(['tidegate: onDecision threw an error: Error: no route'])
  isDown = false
  clock.advance(10_000)
  await check()
  await flush()
  expect(reports).toHaveLength(1)
  expect(reports[0]?.period).toBe(20_000)
  expect(checksIn(reports[0])).toBe(3)
  expect(metrics.read().find(({ name }) => name === 'send.errors')?.points[0]?.value).toBe(1)
})

/** A collector whose reports end when the test says so. */
function slowly(options: Partial<CollectorOptions> = {}) {
  const pending: { resolve(): void; reject(error: Error): void }[] = []
  const reports: MetricsReport[] = []
  const made = sending({
    send(report) {
      reports.push(report)
      return new Promise<void>((resolve, reject) => pending.push({ resolve, reject }))
    },
    ...options,
  })
  async function checkAfter(seconds: number) {
    made.clock.advance(seconds * 1000)
    await made.check()
    await flush()
  }
  return { ...made, reports, pending, checkAfter }
}

test('one report is sent at a time, and a slow one delays the next', async () => {
  const { reports, pending, checksIn, checkAfter } = slowly()
  for (const seconds of [0, 10, 10, 9]) await checkAfter(seconds)
  expect(reports).toHaveLength(1)
  pending[0]?.resolve()
  await flush()
  await checkAfter(10)
  expect(reports.map(checksIn)).toEqual([2, 3])
  expect(reports.map(({ period }) => period)).toEqual([10_000, 29_000])
})

test('a report that hangs counts as rejected, and the next one has its counts', async () => {
  const { reports, pending, metrics, checksIn, checkAfter } = slowly()
  const lines = await errorsOf(async () => {
    for (const seconds of [0, 10, 10, 20]) await checkAfter(seconds)
  })
  expect(lines).toEqual([`tidegate: onDecision threw an error: Error: ${HANGS}`])
  expect(reports.map(checksIn)).toEqual([2, 4])
  expect(metrics.read().find(({ name }) => name === 'send.errors')?.points[0]?.value).toBe(1)
  // Its late end changes nothing.
  pending[0]?.resolve()
  await flush()
  await checkAfter(30)
  expect(reports.map(checksIn)).toEqual([2, 4, 5])
})

test('flush waits for the report that is being sent', async () => {
  const { reports, pending, metrics, check, checksIn, checkAfter } = slowly()
  for (const seconds of [0, 10]) await checkAfter(seconds)
  await check()
  const flushed = metrics.flush()
  await flush()
  expect(reports).toHaveLength(1)
  pending[0]?.resolve()
  await flush()
  pending[1]?.resolve()
  await flushed
  expect(reports.map(checksIn)).toEqual([2, 1])
})

test('a flush that hangs ends after 30 s, and the next one has its counts', async () => {
  const { clock, reports, metrics, check, checksIn } = slowly()
  await check()
  const first = metrics.flush()
  const second = metrics.flush()
  const failure = expect(first).rejects.toThrow(HANGS)
  await flush()
  expect(reports.map(checksIn)).toEqual([1])
  clock.advance(30_000)
  await failure
  await flush()
  expect(reports.map(checksIn)).toEqual([1, 1])
  clock.advance(30_000)
  await expect(second).rejects.toThrow(HANGS)
})

test('flush waits 30 s at most for a report of a request that the host has ended', async () => {
  // The first timer is that of the ended request.
  let timers = 0
  const { clock, reports, pending, metrics, checksIn, checkAfter } = slowly({
    timer: (ms, run) => (timers++ === 0 ? () => {} : clock.timer(ms, run)),
  })
  for (const seconds of [0, 10]) await checkAfter(seconds)
  const lines = await errorsOf(async () => {
    const flushed = metrics.flush()
    await flush()
    expect(reports).toHaveLength(1)
    clock.advance(30_000)
    await flush()
    pending[1]?.resolve()
    await flushed
  })
  expect(lines).toEqual([`tidegate: ${HANGS}`])
  expect(reports.map(checksIn)).toEqual([2, 2])
})

test('a report of a request that the host has ended delays reports for 30 s', async () => {
  const { reports, checksIn, checkAfter } = slowly({ timer: () => () => {} })
  const lines = await errorsOf(async () => {
    for (const seconds of [0, 10, 29, 1]) await checkAfter(seconds)
  })
  expect(lines).toEqual([`tidegate: ${HANGS}`])
  expect(reports.map(checksIn)).toEqual([2, 4])
})

test('flush sends at once, for a server that stops', async () => {
  const { clock, reports, metrics, check, checksIn } = sending()
  await check()
  clock.advance(3000)
  await metrics.flush()
  expect(checksIn(reports[0])).toBe(1)
  expect(reports[0]?.period).toBe(3000)
})

test('without `send`, a decision returns nothing to wait for', async () => {
  const { clock, works, check } = sending({ send: undefined })
  await check()
  clock.advance(60_000)
  await check()
  expect(works).toEqual([])
})
