/** The option `onDecision`: what a listener is told about each decision. */
import { describe, expect, test } from 'vitest'
import {
  createLimiter,
  type DecisionEvent,
  header,
  type LimiterOptions,
  memory,
} from '../../src/index.ts'
import { background, flush, refused, scriptedStore } from '../support/scripted-store.ts'

const CLIENT = '203.0.113.7'

/** A limiter over a scripted store in virtual time, and the events of its decisions. */
function listened(options: Partial<LimiterOptions> = {}) {
  const scripted = scriptedStore({ label: 'scripted store' })
  const { clock, store } = scripted
  const events: DecisionEvent[] = []
  const limiter = createLimiter({
    ...(options.policies ? {} : { limit: 2, window: '1m' }),
    store,
    clock,
    timer: clock.timer,
    onStoreEvent() {},
    onDecision: (event: DecisionEvent) => void events.push(event),
    ...options,
  } as LimiterOptions)
  const check = (init?: RequestInit, context = {}) =>
    limiter.check(new Request('https://example.com/api', init), { ip: CLIENT, ...context })
  return { ...scripted, events, check }
}

/** What is logged as an error meanwhile. */
async function errorsOf(run: () => Promise<unknown>): Promise<string[]> {
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

describe('onDecision gets an event for each decision', () => {
  test('with the decision, the time of the check, and that of the call to the store', async () => {
    const { clock, state, events, check } = listened()
    state.outcome = () => Promise.resolve().then(() => clock.advance(7))
    const decision = await check()
    expect(events).toEqual([
      {
        ...decision,
        outcomes: [{ policy: '', refused: false, cost: 1, source: 'store' }],
        took: 7,
        store: 'scripted store',
        call: { operation: 'take', took: 7, error: undefined, ahead: 0 },
        background: [],
      },
    ])
  })

  test('without a call where the isolate refuses by itself', async () => {
    const { events, check } = listened()
    for (let n = 1; n <= 4; n++) await check()
    expect(events.map(({ allowed, source, call }) => [allowed, source, call?.operation])).toEqual([
      [true, 'store', 'take'],
      [true, 'store', 'take'],
      [false, 'known', undefined],
      [false, 'known', undefined],
    ])
  })

  test('with the policy that refuses, and not the others', async () => {
    const { events, check } = listened({
      policies: [
        { name: 'burst', limit: 1, window: '1s' },
        { name: 'hourly', limit: 9, window: '1h' },
      ],
    })
    await check()
    await check()
    const refusals = events.map(({ outcomes }) => outcomes.map((one) => [one.policy, one.refused]))
    expect(refusals).toEqual([
      [
        ['burst', false],
        ['hourly', false],
      ],
      [
        ['burst', true],
        ['hourly', false],
      ],
    ])
  })

  test('with the error of the store, and without a call while the store is left alone', async () => {
    const { state, events, check } = listened()
    state.outcome = refused
    await check()
    await check()
    expect(events.map(({ degraded, source, call }) => [degraded, source, call?.error])).toEqual([
      [true, 'local', 'unreachable'],
      [true, 'local', undefined],
    ])
    expect(events[1]?.call).toBeUndefined()
  })

  test('with the time that a store without an answer took: the timeout', async () => {
    const { clock, state, events, check } = listened({ timeout: 250 })
    state.outcome = () => 'hang'
    const checked = check()
    await flush()
    clock.advance(250)
    await checked
    expect(events[0]).toMatchObject({ took: 250, call: { took: 250, error: 'timeout' } })
  })

  test('with refills of leases, and how many units they took, in the next event', async () => {
    const { clock, events, check } = listened({ limit: 10_000, lease: true })
    const { waitUntil } = background(clock)
    for (let n = 1; n <= 200; n++) {
      await check(undefined, { waitUntil })
      await flush()
      clock.advance(20)
    }
    const calls = events.flatMap((event) => event.background)
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.every(({ operation }) => operation === 'refill')).toBe(true)
    const ahead = [...calls, ...events.flatMap(({ call = [] }) => call)]
    const taken = ahead.reduce((sum, call) => sum + call.ahead, 0)
    const spent = events.filter(({ source }) => source === 'lease').length
    expect(spent).toBeGreaterThan(100)
    expect(taken).toBeGreaterThanOrEqual(spent)
  })

  test('with each refill once, in an event of its store, from limiters made per request', async () => {
    const events: DecisionEvent[] = []
    const onDecision = (event: DecisionEvent) => void events.push(event)
    const { clock, store, calls } = scriptedStore({ label: 'leased' })
    const other = scriptedStore({ label: 'other' })
    const { waitUntil } = background(clock)
    const shared = { limit: 10_000, window: '1m', clock, timer: clock.timer, onDecision } as const
    for (let n = 1; n <= 200; n++) {
      const request = new Request('https://example.com/api')
      const context = { ip: CLIENT, waitUntil }
      await createLimiter({ ...shared, lease: true, store }).check(request, context)
      await flush()
      await createLimiter({ ...shared, store: other.store }).check(request, context)
      await flush()
      clock.advance(20)
    }
    const seen = (label: string) => {
      const found = events.filter((event) => event.store === label)
      return found.flatMap(({ call = [], background: later }) => [call, later].flat())
    }
    expect(seen('leased').some(({ operation }) => operation === 'refill')).toBe(true)
    expect(seen('leased')).toHaveLength(calls.length)
    expect(seen('other').every(({ operation }) => operation === 'take')).toBe(true)
  })

  test('also where an unknown client is refused, and where no policy counts', async () => {
    const { events, check } = listened({
      policies: [
        { limit: 1, window: '1m', match: '/api', client: header('x-key'), unknown: 'refuse' },
      ],
    })
    await check()
    expect(events[0]).toMatchObject({
      allowed: false,
      source: 'unknown',
      outcomes: [{ policy: '', refused: true, source: 'unknown' }],
      store: undefined,
    })
    const other = listened({ methods: ['POST'] })
    await other.check()
    expect(other.events[0]).toMatchObject({ allowed: true, source: 'none', outcomes: [] })
  })
})

describe('an event', () => {
  test('names no client, unless `eventClients` asks for it', async () => {
    const { events, check } = listened({ eventClients: undefined })
    await check()
    expect(JSON.stringify(events)).not.toContain(CLIENT)
  })

  test('names the client as keys do (plain), or by its hash (hashed)', async () => {
    const plain = listened({ eventClients: 'plain' })
    await plain.check()
    expect(plain.events[0]?.outcomes[0]?.client).toBe(CLIENT)
    const hashed = listened({ eventClients: 'hashed' })
    await hashed.check()
    expect(hashed.events[0]?.outcomes[0]?.client).toMatch(/^[\da-f]{32}$/)
    // What is a hash already is the same in the store and in both kinds of events.
    const secret = { client: header('x-key'), limit: 1 } as const
    const request = { headers: { 'x-key': 'secret' } }
    const both = [
      listened({ ...secret, eventClients: 'plain' } as Partial<LimiterOptions>),
      listened({ ...secret, eventClients: 'hashed' } as Partial<LimiterOptions>),
    ]
    for (const { check } of both) await check(request)
    const [first, second] = both.map(({ events }) => events[0]?.outcomes[0]?.client)
    expect(first).toMatch(/^[\da-f]{32}$/)
    expect(second).toBe(first)
  })
})

describe('a listener', () => {
  test('that throws or rejects is logged, at most once a minute, and hurts no request', async () => {
    for (const onDecision of [
      () => {
        throw new Error('no disk')
      },
      async () => {
        throw new Error('no disk')
      },
    ]) {
      const { check } = listened({ onDecision })
      const lines = await errorsOf(async () => {
        expect((await check()).allowed).toBe(true)
        expect((await check()).allowed).toBe(true)
        await flush()
      })
      expect(lines).toEqual(['tidegate: onDecision threw an error: Error: no disk'])
    }
  })

  test('gets the bindings of the host, and its promise is kept alive', async () => {
    const works: Promise<unknown>[] = []
    const env = { DATASET: {} }
    let ended = false
    const limiter = createLimiter({
      limit: 9,
      window: '1m',
      store: memory(),
      async onDecision(_, host) {
        expect(host.env).toBe(env)
        await Promise.resolve()
        ended = true
      },
    })
    const context = {
      env,
      ip: CLIENT,
      waitUntil: (work: Promise<unknown>) => void works.push(work),
    }
    await limiter.check(new Request('https://example.com/'), context)
    expect(works).toHaveLength(1)
    await works[0]
    expect(ended).toBe(true)
  })

  test('must be a function, and `eventClients` a known word', () => {
    const make = (options: object) => () =>
      createLimiter({ limit: 1, window: '1m', store: memory(), ...options } as LimiterOptions)
    expect(make({ onDecision: 'log' })).toThrow('onDecision: expected a function, got "log"')
    expect(make({ eventClients: 'yes' })).toThrow(
      'eventClients: expected one of hashed, plain, got "yes"',
    )
  })
})
