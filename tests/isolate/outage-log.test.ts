import { expect, test } from 'vitest'
import { createLimiter, guard, memory, type Store } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { pause } from '../support/pause.ts'
import { warningsOf } from '../support/warnings.ts'

/** A limiter over a store that fails whenever `isDown` says so. */
function limiterOver(isDown: () => boolean) {
  const clock = manualClock()
  const near = memory({ clock })
  const store: Store = {
    guard,
    take: (demands) => (isDown() ? Promise.reject(new Error('down')) : near.take(demands)),
  }
  const client = () => ({ plain: 'a' })
  const limiter = createLimiter({
    limit: 1000,
    window: '1d',
    client,
    store,
    clock,
    breaker: false,
  })
  return { clock, check: () => limiter.check(new Request('https://example.com/')) }
}

test('an outage is logged when it begins and when it ends, with its length and its requests', async () => {
  let down = true
  const { clock, check } = limiterOver(() => down)
  const lines = await warningsOf(async () => {
    for (let n = 0; n < 3; n++) await check()
    down = false
    clock.advance(12_340)
    for (let n = 0; n < 3; n++) await check()
  })
  expect(lines).toHaveLength(2)
  expect(lines[0]).toContain('this isolate decides alone until the store is back')
  expect(lines[1]).toBe(
    'tidegate: the store is back after 12.3 s; requests decided without it: 3, units to charge: 0',
  )
})

test('a store that fails every other time is logged once a minute, with how often it failed', async () => {
  let checks = 0
  const { clock, check } = limiterOver(() => checks % 2 === 0)
  const lines = await warningsOf(async () => {
    for (; checks < 300; checks++) await check()
    clock.advance(60_000)
    for (; checks < 302; checks++) await check()
  })
  expect(lines).toHaveLength(4)
  expect(lines[2]).toContain('(and 149 more times since the last line)')
})

test('an outage that follows a logged one is logged when the minute is over', async () => {
  let down = true
  const { clock, check } = limiterOver(() => down)
  const lines = await warningsOf(async () => {
    await check()
    down = false
    clock.advance(1000)
    await check()
    down = true
    for (let n = 0; n < 100; n++) {
      clock.advance(1000)
      await check()
    }
    down = false
    await check()
  })
  expect(lines).toEqual([
    expect.stringContaining('until the store is back'),
    expect.stringContaining('is back after 1.0 s'),
    expect.stringMatching(/until the store is back$/),
    expect.stringContaining('is back after 99.0 s; requests decided without it: 100'),
  ])
})

test('a listener that fails is logged once a minute', async () => {
  const store: Store = { guard, take: () => Promise.reject(new Error('down')) }
  const clock = manualClock()
  const lines: string[] = []
  const { error } = console
  console.error = (line: string) => lines.push(line)
  try {
    for (let n = 0; n < 10; n++) {
      const client = () => ({ plain: 'a' })
      const onStoreEvent = () => Promise.reject(new Error('no pager'))
      const limiter = createLimiter({ limit: 9, window: '1d', client, store, clock, onStoreEvent })
      await limiter.check(new Request('https://example.com/'))
    }
    await pause(0)
  } finally {
    console.error = error
  }
  expect(lines[0]).toContain('onStoreEvent threw an error: no pager')
})

test('a clock that was set back does not silence the log', async () => {
  let down = true
  const { clock, check } = limiterOver(() => down)
  const lines = await warningsOf(async () => {
    await check()
    down = false
    await check()
    down = true
    clock.advance(-3_600_000)
    await check()
  })
  expect(lines).toHaveLength(3)
})

test('an outage in which the clock was set back lasts no time below 0', async () => {
  let down = true
  const { clock, check } = limiterOver(() => down)
  const lines = await warningsOf(async () => {
    await check()
    down = false
    clock.advance(-3_600_000)
    await check()
  })
  expect(lines[1]).toContain('back after 0.0 s')
})
