import { afterAll, describe, expect, inject, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { pause } from '../support/pause.ts'

/** Requests of one isolate that share batches; `/hold` leads one and is then left by its client. */
const contents = `
  import { createLimiter } from './src/index.ts'
  import { batching, upstash } from './src/stores/upstash.ts'
  let requests = 0
  let limiter
  export default {
    async fetch(request, env, context) {
      limiter ??= createLimiter({
        name: env.NAME,
        limit: 1000,
        window: '1m',
        client: (request) => ({ plain: new URL(request.url).searchParams.get('client') }),
        store: upstash({ url: env.URL, token: env.TOKEN }, {
          batch: batching({ wait: Number(env.WAIT) }),
          fetch: (...args) => { requests++; return fetch(...args) },
        }),
      })
      const { pathname } = new URL(request.url)
      if (pathname === '/requests') return Response.json(requests)
      const decision = await limiter.check(request, {
        env,
        waitUntil: pathname === '/rash' ? () => {} : (work) => context.waitUntil(work),
      })
      return Response.json({ source: decision.source, remaining: decision.policy.remaining })
    },
  }`

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

async function start(wait: number, compatibilityDate?: string) {
  const script = await bundle({ stdin: { contents, loader: 'ts', resolveDir: process.cwd() } })
  const { url: URL, token: TOKEN } = inject('gateway')
  const env = { URL, TOKEN, WAIT: `${wait}`, NAME: `batch-${crypto.randomUUID()}` }
  const worker = await startWorker({ script, env, ...(compatibilityDate && { compatibilityDate }) })
  stops.push(worker.stop)
  const check = async (path: string, init?: RequestInit) =>
    (await (await worker.fetch(path, init)).json()) as { source: string; remaining: number }
  return {
    check,
    requests: async () => (await worker.fetch('/requests')).json() as Promise<number>,
  }
}

describe('in workerd', () => {
  test('checks of many requests share a trip, and each gets its own answer', async () => {
    const { check, requests } = await start(20)
    await check('/?client=warm')
    const before = await requests()
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => check(`/?client=c${index % 3}`)),
    )
    expect(answers.every(({ source }) => source === 'store')).toBe(true)
    const remaining = answers.map((answer) => answer.remaining).sort((a, b) => b - a)
    expect(remaining).toEqual(Array.from({ length: 60 }, (_, n) => 999 - Math.floor(n / 3)))
    expect((await requests()) - before).toBeLessThan(60 / 2)
  })

  // Since 2024-10-14 a promise of a request that has ended rejects, before it hung for ever.
  for (const date of ['2026-08-01', '2024-09-01']) {
    test(`a leader whose client has gone hurts no follower, on ${date}`, async () => {
      const { check } = await start(100, date)
      await check('/?client=warm')
      for (const path of ['/', '/rash']) {
        const leaving = new AbortController()
        const led = check(`${path}?client=leader`, { signal: leaving.signal }).catch(() => 'left')
        await pause(20)
        const followers = Array.from({ length: 5 }, (_, n) => check(`/?client=f${n}`))
        leaving.abort()
        expect(await led).toBe('left')
        for (const answer of await Promise.all(followers)) expect(answer.source).toBe('store')
      }
    })
  }
})
