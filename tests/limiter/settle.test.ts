import { describe, expect, test } from 'vitest'
import { rateLimit } from '../../src/adapters/next.ts'
import { createLimiter, memory } from '../../src/index.ts'
import { settling as settlingStore } from '../../src/settling/settling.ts'

const client = { plain: 'a' }
const request = () => new Request('https://example.com/login')
/** Settlements run in the background. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

const login = (settle: (response: Response) => number | Promise<number>) =>
  createLimiter({
    limit: 5,
    window: '15m',
    client: () => client,
    settle,
    store: settlingStore(memory()),
  })

describe('the option settle', () => {
  test('with 0 for success counts failures only', async () => {
    const limiter = login(({ ok }) => (ok ? 0 : 1))
    const respond = (status: number) =>
      limiter.handle(request(), () => new Response(null, { status }))
    for (let n = 0; n < 20; n++) {
      expect((await respond(200)).status).toBe(200)
      await settled()
    }
    const statuses: number[] = []
    for (let n = 0; n < 7; n++) statuses.push((await respond(401)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  })

  test('of 1,000 simultaneous guesses lets exactly the limit reach the handler', async () => {
    const limiter = login(({ ok }) => (ok ? 0 : 1))
    let reached = 0
    const guess = () =>
      limiter.handle(request(), () => {
        reached++
        return new Response(null, { status: 401 })
      })
    await Promise.all(Array.from({ length: 1000 }, guess))
    expect(reached).toBe(5)
  })

  test('may read a clone of the response, which the client gets whole', async () => {
    const limiter = login(async (response) => (await response.clone().json()).tokens)
    const response = await limiter.handle(request(), () => Response.json({ tokens: 3 }))
    expect(await response.json()).toEqual({ tokens: 3 })
    await settled()
    expect((await limiter.peek(client)).policy?.remaining).toBe(2)
  })

  test('may return a promise of the host, or of a library', async () => {
    const ofHost = (response: Response) =>
      response
        .clone()
        .json()
        .then(({ tokens }) => tokens)
    const ofLibrary = (): Promise<number> =>
      // biome-ignore lint/suspicious/noThenProperty: what is tested
      ({ then: (resolve: (used: number) => void) => resolve(3) }) as never
    for (const settle of [ofHost, ofLibrary]) {
      const limiter = login(settle)
      await limiter.handle(request(), () => Response.json({ tokens: 3 }))
      await settled()
      expect((await limiter.peek(client)).policy?.remaining).toBe(2)
    }
  })

  test('reads a stream to its end, though its client has left', async () => {
    const limiter = login(async (response) => (await response.clone().text()).length)
    const encoder = new TextEncoder()
    let parts = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await settled()
        if (parts++ < 3) controller.enqueue(encoder.encode('x'))
        else controller.close()
      },
    })
    const work: Promise<unknown>[] = []
    const context = { waitUntil: (one: Promise<unknown>) => void work.push(one) }
    const response = await limiter.handle(request(), () => new Response(body), context)
    await response.body?.cancel()
    await Promise.all(work)
    expect((await limiter.peek(client)).policy?.remaining).toBe(2)
  })

  test('of a stream that breaks is logged, and what is reserved stays counted', async () => {
    const { error } = console
    let logged = 0
    console.error = () => void logged++
    try {
      const limiter = login(async (response) => (await response.clone().text()).length)
      const body = new ReadableStream({ pull: () => Promise.reject(new Error('broken')) })
      const work: Promise<unknown>[] = []
      const context = { waitUntil: (one: Promise<unknown>) => void work.push(one) }
      const response = await limiter.handle(request(), () => new Response(body), context)
      await expect(response.text()).rejects.toThrow()
      await Promise.all(work)
      expect([logged, (await limiter.peek(client)).policy?.remaining]).toEqual([1, 4])
    } finally {
      console.error = error
    }
  })

  test('sees the response to a HEAD request', async () => {
    const limiter = login((response) => Number(response.headers.get('x-used')))
    const head = new Request('https://example.com/login', { method: 'HEAD' })
    await limiter.handle(head, () => new Response(null, { headers: { 'x-used': '3' } }))
    await settled()
    expect((await limiter.peek(client)).policy?.remaining).toBe(2)
  })

  test('does not delay the response, and lives by waitUntil', async () => {
    let finish = (_: number) => {}
    const limiter = login(() => new Promise((resolve) => (finish = resolve)))
    const work: Promise<unknown>[] = []
    const context = { waitUntil: (one: Promise<unknown>) => void work.push(one) }
    const response = await limiter.handle(request(), () => new Response('done'), context)
    expect([response.status, work.length]).toEqual([200, 1])
    expect((await limiter.peek(client)).policy?.remaining).toBe(4)
    finish(0)
    await work[0]
    expect((await limiter.peek(client)).policy?.remaining).toBe(5)
  })

  for (const [kind, settle] of Object.entries({
    throws: () => {
      throw new Error('no usage')
    },
    rejects: () => Promise.reject(new Error('no usage')),
    'returns no number': () => Number.NaN,
  })) {
    test(`that ${kind} is logged, and what is reserved stays counted`, async () => {
      const { error } = console
      const logged: unknown[] = []
      console.error = (...words) => void logged.push(words.join(' '))
      try {
        const limiter = login(settle)
        const response = await limiter.handle(request(), () => new Response('done'))
        expect(response.status).toBe(200)
        await settled()
        expect(logged).toHaveLength(1)
        expect(logged[0]).toMatch(/^tidegate: settle threw an error: /)
        expect((await limiter.peek(client)).policy?.remaining).toBe(4)
      } finally {
        console.error = error
      }
    })
  }

  test('of a function is rejected where middleware does not see the response', () => {
    const options = { limit: 5, window: '15m', store: settlingStore(memory()) } as const
    expect(() => rateLimit({ ...options, settle: () => 0 })).toThrow(
      /^settle: expected true, since/,
    )
    expect(() => rateLimit({ ...options, settle: true })).not.toThrow()
  })
})
