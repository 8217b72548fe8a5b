/**
 * The examples for SvelteKit, Astro, Nitro and Nuxt: built by their own tools and asked over HTTP,
 * around the built package, with the store behind our own gateway in front of a real Redis.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { startGateway } from '../support/gateway-server.ts'
import {
  buildExample,
  buildVariant,
  checkTypes,
  type ExampleApp,
  removeVariants,
  startExample,
} from './support/example-app.ts'
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
  removeVariants()
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

/** Asks a server as a proxy does for a visitor who invents the first entry of `X-Forwarded-For`. */
function proxyTo(port: number) {
  let forged = 0
  return (address: string, path = '/api/hello') => {
    const headers = { 'x-forwarded-for': `192.0.2.${forged++}, ${address}` }
    return fetch(`http://127.0.0.1:${port}${path}`, { headers })
  }
}

/** Shows that the visitors of a proxy have buckets of their own, whatever they invent. */
async function expectBucketsBehindProxy(port: number) {
  const ask = proxyTo(port)
  await gateway.redis.flushdb()
  await expectFiveBuckets(VISITORS, async (address) => answerOf(await ask(address)))
  const keys = await gateway.redis.keys('*')
  expect(keys.sort()).toEqual(VISITORS.map((address) => `ratelimit:${address}`))
}

test('SvelteKit counts by the address that a proxy appended, if ADDRESS_HEADER names it', async () => {
  const forwarded = { ADDRESS_HEADER: 'X-Forwarded-For', XFF_DEPTH: '1' }
  await expectBucketsBehindProxy(
    await startExample(host, 'sveltekit', { ...variables, ...forwarded }),
  )
})

/** Leaves `ip` out and trusts one hop. */
const byTrustedHops = (text: string) =>
  text
    .replace('{ createLimiter }', '{ createLimiter, ip }')
    .replace("window: '1m',", "window: '1m', client: ip({ trustedHops: 1 }),")
    .replace(/, \{ ip: [\w.]+ \}/, '')

/** What docs/hosts.md says for a host that cannot tell which entry its proxy appended. */
const BEHIND_PROXY: readonly {
  readonly app: ExampleApp
  readonly files: Readonly<Record<string, (text: string) => string>>
}[] = [
  {
    app: 'astro',
    files: {
      'src/middleware.ts': byTrustedHops,
      // Without it, Astro ignores the header.
      'astro.config.ts': (text) =>
        text.replace(
          "output: 'server',",
          "output: 'server', security: { allowedDomains: [{ hostname: '127.0.0.1' }] },",
        ),
      'src/pages/api/address.ts': () => `
        import type { APIRoute } from 'astro'
        export const GET: APIRoute = ({ clientAddress }) => new Response(clientAddress)`,
    },
  },
  {
    app: 'nitro',
    files: {
      'middleware/rate-limit.ts': byTrustedHops,
      'routes/api/address.ts': () => `
        import { defineHandler, getRequestIP } from 'nitro/h3'
        export default defineHandler((event) => getRequestIP(event, { xForwardedFor: true }))`,
    },
  },
]

describe.each(BEHIND_PROXY)('examples/$app behind a proxy', ({ app, files }) => {
  let port: number
  beforeAll(async () => {
    port = await startExample(host, await buildVariant(host, app, files), variables)
  }, BUILD)

  test('counts by the address that the proxy appended, with trustedHops', async () => {
    await expectBucketsBehindProxy(port)
  })

  test('gets the entry that the client wrote, if it asks the framework', async () => {
    // Not one of VISITORS: the server still refuses the first, who is over the limit.
    const response = await proxyTo(port)('127.0.0.7', '/api/address')
    expect(await response.text()).toBe('192.0.2.0')
  })
})
