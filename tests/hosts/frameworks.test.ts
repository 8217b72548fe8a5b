/**
 * The examples for SvelteKit, Astro, Nitro and Nuxt: built by their own tools and asked over HTTP,
 * around the built package, with the store behind our own gateway in front of a real Redis.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { startGateway } from '../support/gateway-server.ts'
import { buildExample, checkTypes, type ExampleApp, startExample } from './support/example-app.ts'
import { programs } from './support/programs.ts'
import { answerOf, askFrom, expectFiveBuckets } from './support/visitors.ts'

/** In ms. The first run may have to download the framework. */
const BUILD = 300_000

const host = programs()
// A database of its own: every host sees the same addresses.
const gateway = await startGateway(new URL('/12', inject('redisUrl')).href)
const variables = {
  UPSTASH_REDIS_REST_URL: gateway.url,
  UPSTASH_REDIS_REST_TOKEN: gateway.token,
}

afterAll(async () => {
  await host.stop()
  await gateway.stop()
})

const APPS: readonly {
  readonly app: ExampleApp
  /** The configuration of TypeScript that covers the limiter, if not `tsconfig.json`. */
  readonly config?: string
  /** A page that is rendered when the app is built. */
  readonly prerendered?: string
}[] = [
  { app: 'sveltekit', prerendered: '/about' },
  { app: 'astro', prerendered: '/about' },
  { app: 'nitro' },
  { app: 'nuxt', config: '.nuxt/tsconfig.server.json' },
]

const VISITORS = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5', '127.0.0.6']

describe.each(APPS)('examples/$app', ({ app, config, prerendered }) => {
  let port: number
  beforeAll(async () => {
    await buildExample(host, app)
    port = await startExample(host, app, variables)
  }, BUILD)

  beforeEach(async () => {
    await gateway.redis.flushdb()
  })

  test('has no error of types', async () => {
    await checkTypes(host, app, config)
  })

  test('gives five visitors five buckets, by the address of their connection', async () => {
    await expectFiveBuckets(VISITORS, (address) => askFrom(port, address, '/api/hello'))
    const keys = await gateway.redis.keys('*')
    expect(keys.sort()).toEqual(VISITORS.map((address) => `ratelimit:${address}`))
  })

  test('gets the body of a request that may pass', async () => {
    const headers = { 'content-type': 'application/json' }
    const sent = { method: 'POST', headers, body: '"you"' }
    const response = await fetch(`http://127.0.0.1:${port}/api/hello`, sent)
    expect(answerOf(response).rateLimit).toMatch(/^"default";r=99;/)
    expect(await response.json()).toEqual({ hello: sent.body })
  })

  test('refuses with the problem', async () => {
    await gateway.redis.set('ratelimit:127.0.0.1', 100, 'PX', 60_000)
    const refused = await fetch(`http://127.0.0.1:${port}/api/hello`)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(await refused.json()).toMatchObject({ status: 429, 'violated-policies': ['default'] })
  })

  if (prerendered === undefined) return

  test('does not count a page that was rendered by the build', async () => {
    const response = await fetch(`http://127.0.0.1:${port}${prerendered}`)
    expect(await response.text()).toContain('This page is rendered when the app is built.')
    expect(answerOf(response).rateLimit).toBeNull()
    expect(await gateway.redis.dbsize()).toBe(0)
  })
})

test('SvelteKit counts by the address that a proxy appended, if ADDRESS_HEADER names it', async () => {
  await gateway.redis.flushdb()
  const forwarded = { ADDRESS_HEADER: 'X-Forwarded-For', XFF_DEPTH: '1' }
  const port = await startExample(host, 'sveltekit', { ...variables, ...forwarded })
  let forged = 0
  await expectFiveBuckets(VISITORS, async (address) => {
    const headers = { 'x-forwarded-for': `192.0.2.${forged++}, ${address}` }
    return answerOf(await fetch(`http://127.0.0.1:${port}/api/hello`, { headers }))
  })
})
