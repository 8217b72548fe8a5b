import { describe, expect, inject, test } from 'vitest'
import { batched } from '../../src/stores/redis-protocol/batch.ts'
import type { Answer } from '../../src/stores/redis-protocol/rest.ts'
import type { Demand, TakeOptions } from '../../src/stores/store.ts'
import { batching, upstash } from '../../src/stores/upstash.ts'
import { manualClock } from '../../src/testing/index.ts'
import { pause } from '../support/pause.ts'

/** What keeps work alive in a test: the test itself, which waits for it at its end. */
function background(): TakeOptions & { done(): Promise<unknown> } {
  const works: Promise<unknown>[] = []
  return {
    waitUntil: (work) => void works.push(work),
    done: () => Promise.allSettled(works),
  }
}

const demandOf = (client: string): Demand => ({
  policy: 'batch',
  client,
  limit: 3,
  window: 60_000,
  cost: 1,
})

/** The timers of two commands in a batch, in the order in which they start. */
const [LEADER_SENDS, LEADER_GIVES_UP] = [0, 3]

/**
 * Batches that are sent after 1 ms of virtual time, over a server that answers when it is told to.
 *
 * @param dead the timer that never goes off, since the leader's request has ended
 */
function virtualBatch(dead?: number) {
  const clock = manualClock()
  const alone: string[] = []
  const signals: AbortSignal[] = []
  let resolveAll = (_: readonly Answer[]) => {}
  let timers = 0
  const send = batched(
    async ([name = '']) => {
      alone.push(name)
      return `${name} alone`
    },
    (_, signal) => {
      signals.push(signal)
      return new Promise((resolve) => {
        resolveAll = resolve
      })
    },
    1,
    (ms, run) => (timers++ === dead ? () => {} : clock.timer(ms, run)),
  )
  return {
    send: (name: string) => send([name], background()),
    /** The commands that were sent by themselves. */
    alone,
    /** The signals of the batches that were sent. */
    signals,
    answer: (...results: readonly string[]) => resolveAll(results.map((result) => ({ result }))),
    /** Lets time pass, and everything that is due happen. */
    async pass(ms: number) {
      clock.advance(ms)
      for (let turn = 0; turn < 20; turn++) await undefined
    },
  }
}

describe('a batch', () => {
  test('carries what meets within the wait in one request, and everybody gets the own answer', async () => {
    let requests = 0
    const store = upstash(inject('gateway'), {
      prefix: `batch-${crypto.randomUUID()}`,
      batch: batching({ wait: 5 }),
      fetch: (input, init) => {
        requests++
        return fetch(input, init)
      },
    })
    const options = background()
    await store.take([demandOf('warm')], options)
    requests = 0
    const clients = Array.from({ length: 60 }, (_, index) => `client-${index % 15}`)
    const grants = await Promise.all(
      clients.map((client) => store.take([demandOf(client)], options)),
    )
    expect(requests).toBeLessThanOrEqual(3)
    const granted = new Map<string, number>()
    for (const [index, [grant]] of grants.entries()) {
      const client = clients[index] ?? ''
      granted.set(client, (granted.get(client) ?? 0) + (grant?.granted ?? 0))
    }
    expect([...granted.values()]).toEqual(Array(15).fill(3))
    await options.done()
  })

  test('is not joined by a request that could not keep it alive', async () => {
    let requests = 0
    const store = upstash(inject('gateway'), {
      prefix: `batch-${crypto.randomUUID()}`,
      batch: batching({ wait: 5 }),
      fetch: (input, init) => {
        requests++
        return fetch(input, init)
      },
    })
    await store.take([demandOf('warm')])
    requests = 0
    await Promise.all(['a', 'b', 'c'].map((client) => store.take([demandOf(client)])))
    expect(requests).toBe(3)
  })

  test('with an item that fails lets the others have their answers', async () => {
    const send = batched(
      async () => 'alone',
      async (commands): Promise<Answer[]> =>
        commands.map(([name]) => (name === 'BAD' ? { error: 'ERR bad' } : { result: name })),
      1,
    )
    const options = background()
    const settled = await Promise.allSettled([
      send(['A'], options),
      send(['BAD'], options),
      send(['B'], options),
    ])
    expect(settled).toMatchObject([
      { status: 'fulfilled', value: 'A' },
      { status: 'rejected', reason: { message: 'ERR bad' } },
      { status: 'fulfilled', value: 'B' },
    ])
  })

  test('is sent without those who have given up, and nobody gets the answer of another', async () => {
    const sent: string[][] = []
    const send = batched(
      async () => 'alone',
      async (commands): Promise<Answer[]> => {
        sent.push(commands.map(([name = '']) => name))
        // Whoever gives up now changes nothing any more.
        leaving.abort()
        await pause(5)
        return commands.map(([name]) => ({ result: name }))
      },
      5,
    )
    const leaving = new AbortController()
    const gone = AbortSignal.abort()
    const options = background()
    const waiting = [
      send(['A'], { ...options, signal: leaving.signal }),
      send(['gone'], { ...options, signal: gone }),
      send(['B'], options),
      send(['C'], { ...options, signal: leaving.signal }),
    ]
    const [a, nobody, b, c] = await Promise.allSettled(waiting)
    expect([a, b, c]).toMatchObject(['A', 'B', 'C'].map((value) => ({ value })))
    expect(nobody).toMatchObject({ status: 'rejected' })
    expect(sent).toEqual([['A', 'B', 'C']])
  })

  test('of which all have given up is not sent', async () => {
    let requests = 0
    const send = batched(
      async () => 'alone',
      async (): Promise<Answer[]> => {
        requests++
        return []
      },
      1,
    )
    const options = background()
    const gone = { ...options, signal: AbortSignal.abort() }
    const settled = await Promise.allSettled([send(['A'], gone), send(['B'], gone)])
    expect(settled).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    await options.done()
    expect(requests).toBe(0)
  })

  test('of a slow server is waited for, and sends nothing twice', async () => {
    const { send, alone, answer, pass } = virtualBatch()
    const answers = Promise.all(['A', 'B'].map(send))
    await pass(1)
    await pass(9999)
    answer('a', 'b')
    expect(await answers).toEqual(['a', 'b'])
    expect(alone).toEqual([])
  })

  test('without an answer for 10 s is a timeout for everybody in it, and sends nothing twice', async () => {
    const { send, alone, signals, pass } = virtualBatch()
    const settled = Promise.allSettled(['A', 'B'].map(send))
    await pass(1)
    await pass(9999)
    expect(signals[0]?.aborted).toBe(false)
    await pass(1)
    expect(signals[0]?.aborted).toBe(true)
    for (const one of await settled) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'timeout' } })
    }
    expect(alone).toEqual([])
  })

  test('whose leader is more than 50 ms late is left, and each command sent by itself', async () => {
    const { send, alone, signals, pass } = virtualBatch(LEADER_SENDS)
    const answers = Promise.all(['A', 'B'].map(send))
    await pass(50)
    expect(alone).toEqual([])
    await pass(1)
    expect(await answers).toEqual(['A alone', 'B alone'])
    expect(signals).toEqual([])
  })

  test('whose leader dies after it has sent is awaited for 10 s', async () => {
    const { send, alone, signals, pass } = virtualBatch(LEADER_GIVES_UP)
    const answers = Promise.all(['A', 'B'].map(send))
    await pass(1)
    expect(signals).toHaveLength(1)
    await pass(50)
    await pass(9999)
    expect(alone).toEqual([])
    await pass(1)
    expect(await answers).toEqual(['A alone', 'B alone'])
  })

  test('that the server refuses as a whole tells each why', async () => {
    const store = upstash(
      { url: 'https://example.upstash.io', token: 'secret' },
      {
        batch: batching({ wait: 1 }),
        fetch: async () => Response.json({ error: 'ERR max daily request limit exceeded' }),
      },
    )
    await expect(store.take([demandOf('a')], background())).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('max daily request limit'),
    })
  })

  test('that fails as a whole is a StoreError for everybody in it', async () => {
    const options = background()
    const store = upstash(
      { url: 'http://127.0.0.1:9', token: 'token' },
      { batch: batching({ wait: 1 }) },
    )
    const settled = await Promise.allSettled(
      ['a', 'b'].map((client) => store.take([demandOf(client)], options)),
    )
    for (const one of settled) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unreachable' } })
    }
  })

  test('is refused with a wait that is none, and with a client of its own', () => {
    const credentials = { url: 'https://example.upstash.io', token: 'token' }
    expect(() => batching({ wait: 0.5 })).toThrow(
      /^batching\.wait: expected a whole number from 0 to 100.*, got 0\.5/,
    )
    expect(() => batching({ wait: 1000 })).toThrow(/^batching\.wait: expected .+, got 1000/)
    expect(() => batching({ delay: 1 } as never)).toThrow('batching.delay')
    for (const batch of [null, false, 0, '', { wait: 1 }]) {
      expect(() => upstash(credentials, { batch: batch as never })).toThrow(
        /^batch: expected batching\(\{ wait \}\), got/,
      )
    }
    const client = { eval: async () => 1, evalsha: async () => 1, incrby: async () => 1 }
    expect(() => upstash(client, { batch: batching({ wait: 1 }) })).toThrow(
      /^batch: expected .+, got a client/,
    )
  })
})
