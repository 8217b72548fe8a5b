/**
 * The examples in a real Next.js: built with `next build` and served by `next start`, around the
 * built package, with the store behind our own gateway in front of a real Redis.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startGateway } from '../support/gateway-server.ts'
import {
  buildNext,
  installNext,
  type NextApp,
  removeBuilds,
  runtimeOf,
  startNext,
} from './support/next-app.ts'
import { programs } from './support/programs.ts'

/** In ms. The first may have to download Next.js. */
const INSTALL = 240_000
const BUILD = 180_000

/** examples/next-proxy on Edge, and without the matcher that leaves prefetches out. */
const ON_EDGE = {
  example: 'next-proxy',
  change: {
    from: 'proxy.ts',
    to: 'middleware.ts',
    text: (text: string) =>
      text.replace('export const proxy', 'export const middleware').replace(/missing: \[.*\],/, ''),
  },
} satisfies NextApp

/** examples/next-proxy over TCP, with the store of `tidegate/node`. */
const OVER_TCP = {
  example: 'next-proxy',
  change: {
    from: 'proxy.ts',
    to: 'proxy.ts',
    text: (text: string) =>
      `import { storeFromEnv } from 'tidegate/node'\n${text}`.replace(
        "window: '1m',",
        "window: '1m', store: storeFromEnv,",
      ),
  },
} satisfies NextApp

/** The same by the other bundler, which names the parts of ioredis in its own way. */
const OVER_TCP_BY_WEBPACK: NextApp = { ...OVER_TCP, flags: ['--webpack'] }

/** The same where there are no sockets. */
const OVER_TCP_ON_EDGE: NextApp = {
  example: 'next-proxy',
  change: {
    from: 'proxy.ts',
    to: 'middleware.ts',
    text: (text) => OVER_TCP.change.text(ON_EDGE.change.text(text)),
  },
}

/** examples/next with pages, under what next.config says, by a limiter without a matcher. */
function routed(file: 'middleware' | 'proxy', config: object): NextApp {
  return {
    example: 'next',
    change: {
      from: 'middleware.ts',
      to: `${file}.ts`,
      text: () => `
        import { rateLimit } from 'tidegate/next'
        export const ${file} = rateLimit({
          policies: [
            { name: 'hello', limit: 100, window: '1m', match: '/hello' },
            { name: 'api', limit: 100, window: '1m', match: '/api/*' },
            { name: 'home', limit: 100, window: '1m', match: '/' },
          ],
        })`,
    },
    files: {
      'next.config.mjs': `
        const config = ${JSON.stringify(config)}
        export default { ...config, generateBuildId: () => 'build' }`,
      'pages/hello.tsx': PAGE,
      'pages/welcome.tsx': PAGE,
      'pages/api/ping.ts': `
        export default function ping(_: unknown, answer: { json(value: object): void }) {
          answer.json({ pong: true })
        }`,
    },
  }
}

/** A page whose data is asked for with each request. */
const PAGE = `
  export default function Page() {
    return <p>hello</p>
  }
  export const getServerSideProps = async () => ({ props: {} })`

const i18n = { locales: ['en', 'fr', 'zh-TW'], defaultLocale: 'en' }

const host = programs()
// A database of its own: all clients without an address share one key, those of other tests too.
const gateway = await startGateway(new URL('/11', inject('redisUrl')).href)

beforeAll(async () => {
  const counted = await gateway.redis.keys('ratelimit:*')
  if (counted.length > 0) await gateway.redis.del(counted)
  await installNext(host)
}, INSTALL)

afterAll(async () => {
  await host.stop()
  await gateway.stop()
  removeBuilds()
})

const overHttp = {
  UPSTASH_REDIS_REST_URL: gateway.url,
  UPSTASH_REDIS_REST_TOKEN: gateway.token,
  // As in a file of `vercel env pull`: no proof that this is Vercel.
  VERCEL: '1',
  VERCEL_ENV: 'development',
}

/** Builds without a variable, so that those which the limiter finds are what `next start` got. */
async function serve(name: string, app: NextApp, env: Record<string, string> = overHttp) {
  const directory = await buildNext(host, name, app)
  const started = await startNext(host, directory, env)
  return { ...started, runtime: runtimeOf(directory) }
}

const quotaOf = ({ headers }: Response) => headers.get('ratelimit')
const from = (address: string) => ({ 'x-forwarded-for': address })

/** Every header in which some platform tells the client's address. */
function forged(n: number): Readonly<Record<string, string>> {
  const address = `203.0.113.${n}`
  return {
    'x-forwarded-for': address,
    'x-real-ip': address,
    'cf-connecting-ip': address,
    'true-client-ip': address,
    'x-vercel-forwarded-for': address,
    forwarded: `for=${address}`,
  }
}

/** What is left to five visitors with addresses in a row, after a request of each. */
async function leftOf(ask: (headers: HeadersInit) => Promise<Response>, first: number) {
  const left: number[] = []
  for (let n = first; n < first + 5; n++) {
    const state = quotaOf(await ask(from(`198.51.100.${n}`)))
    left.push(Number(/;r=(\d+)/.exec(state ?? '')?.[1]))
  }
  return left
}

/** What the App Router in a browser sends when a link comes into view. */
const ROUTER_PREFETCH = {
  rsc: '1',
  'next-router-prefetch': '1',
  'next-router-segment-prefetch': '/_tree',
}
/** What browsers send, newer and older. */
const BROWSER_PREFETCHES = [{ 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }]
/** What the Pages Router sends. It is answered by the middleware, and a page is not rendered. */
const PAGES_PREFETCH = { 'x-middleware-prefetch': '1' }

/** What the page of examples/next-proxy shows if the team's own proxy has run. */
const REQUEST_ID = /Request (?:<!-- -->)?[\da-f]{8}-/

test('docs/next.md shows the files of the examples as they are', () => {
  const page = readFileSync('docs/next.md', 'utf8')
  const shown = [...page.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)].map(([, name, code]) => [
    name,
    code,
  ])

  expect(shown).toEqual([
    ['middleware.ts', readFileSync('examples/next/middleware.ts', 'utf8')],
    ['proxy.ts', readFileSync('examples/next-proxy/proxy.ts', 'utf8')],
  ])
})

test(
  'a fresh project installs the packed package without a warning and without Hono',
  async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'tidegate-next-'))
    try {
      const { dependencies } = JSON.parse(readFileSync('examples/next/package.json', 'utf8'))
      const { tidegate: _, ...fresh } = dependencies
      writeFileSync(
        join(cwd, 'package.json'),
        JSON.stringify({ private: true, dependencies: fresh }),
      )
      const quiet = ['--no-audit', '--no-fund', '--prefer-offline']
      await host.run('npm', ['install', ...quiet], { cwd })
      const pack = ['pack', '--ignore-scripts', '--pack-destination', cwd]
      await host.run('npm', pack, { cwd: process.cwd() })
      const [tarball] = readdirSync(cwd).filter((name) => name.endsWith('.tgz'))
      const said = await host.run('npm', ['install', ...quiet, `./${tarball}`], { cwd })
      expect(said).toMatch(/added 1 package/)
      expect(said).not.toMatch(/warn|deprecated/i)
      expect(existsSync(join(cwd, 'node_modules/tidegate/dist/adapters/next.js'))).toBe(true)
      expect(existsSync(join(cwd, 'node_modules/hono'))).toBe(false)
    } finally {
      rmSync(cwd, { recursive: true, force: true })
    }
  },
  INSTALL,
)

describe('examples/next, by its middleware.ts', () => {
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    app = await serve('next', { example: 'next' })
  }, BUILD)
  const ask = (path: string, init?: RequestInit) => fetch(`${app.url}${path}`, init)

  test('is limited on the Edge runtime', () => {
    expect(app.runtime).toBe('edge')
  })

  test('answers a request that may pass, and adds the quota', async () => {
    const response = await ask('/api/hello')

    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ hello: 'world' })
    expect(quotaOf(response)).toMatch(/^"default";r=99;t=(?:59|60)$/)
    expect(response.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60')
  })

  test('gets the body of a request that may pass', async () => {
    const response = await ask('/api/hello', { method: 'POST', body: 'you' })

    expect(await response.json()).toEqual({ hello: 'you' })
    expect(quotaOf(response)).toMatch(/;r=98;/)
  })

  test('is left alone where the matcher does not name it', async () => {
    const response = await ask('/')

    expect(response.status).toBe(200)
    expect(quotaOf(response)).toBeNull()
  })

  test('refuses the request over the limit, whatever address its headers claim', async () => {
    const before = gateway.seen.requests
    const statuses: number[] = []
    for (let n = 3; n <= 100; n++) {
      statuses.push((await ask('/api/hello', { headers: forged(n) })).status)
    }
    const refused = await ask('/api/hello', { headers: forged(101) })

    expect(statuses).toEqual(Array(98).fill(200))
    expect(gateway.seen.requests - before, 'trips to the store, none for the refusal').toBe(98)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(quotaOf(refused)).toMatch(/^"default";r=0;t=\d+$/)
    expect(await refused.json()).toMatchObject({ status: 429, 'violated-policies': ['default'] })
  })

  test('says once in its log that it cannot tell its clients apart', () => {
    expect(app.log().match(/tidegate: ip\(\) found no address/g)).toHaveLength(1)
  })
})

describe('examples/next-proxy, by its proxy.ts around the team’s own', () => {
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    app = await serve('next-proxy', { example: 'next-proxy' })
  }, BUILD)
  const ask = (headers: HeadersInit) => fetch(`${app.url}/reports`, { headers })

  test('is limited on Node', () => {
    expect(app.runtime).toBe('nodejs')
  })

  test('gets what the team’s own adds to the request, and adds the quota to its response', async () => {
    const response = await ask(from('198.51.100.1'))

    expect(await response.text()).toMatch(REQUEST_ID)
    expect(quotaOf(response)).toMatch(/^"default";r=99;t=(?:59|60)$/)
    expect(response.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60')
  })

  test('counts by the address that the trusted proxy appended, and by nothing left of it', async () => {
    const statuses: number[] = []
    for (let n = 1; n <= 100; n++) {
      const headers = { ...forged(n), ...from(`203.0.113.${n}, 198.51.100.2`) }
      statuses.push((await ask(headers)).status)
    }
    const refused = await ask(from('198.51.100.2'))
    const neighbour = await ask(from('198.51.100.3'))

    expect(statuses).toEqual(Array(100).fill(200))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(neighbour.status).toBe(200)
  })

  test('gives five visitors five buckets', async () => {
    expect(await leftOf(ask, 21)).toEqual(Array(5).fill(99))
  })

  test('leaves out a prefetch of the App Router', async () => {
    const before = gateway.seen.requests
    const response = await ask({ ...from('198.51.100.4'), ...ROUTER_PREFETCH })

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/x-component')
    expect(quotaOf(response)).toBeNull()
    expect(gateway.seen.requests).toBe(before)
  })

  test('gives the whole page to whoever calls it one, without the team’s own', async () => {
    const response = await ask({ ...from('198.51.100.4'), 'next-router-prefetch': '1' })

    expect(await response.text()).toContain('without an id')
    expect(quotaOf(response)).toBeNull()
  })

  test.each(BROWSER_PREFETCHES)(
    'skips a prefetch that says %o, but not the team’s own',
    async (header) => {
      const response = await ask({ ...from('198.51.100.5'), ...header })

      expect(await response.text()).toMatch(REQUEST_ID)
      expect(quotaOf(response)).toBeNull()
    },
  )

  test('skips a prefetch of the Pages Router', async () => {
    const response = await ask({ ...from('198.51.100.5'), ...PAGES_PREFETCH })

    expect(response.status).toBe(200)
    expect(quotaOf(response)).toBeNull()
  })
})

describe('examples/next-proxy as middleware.ts, with a matcher that leaves nothing out', () => {
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    app = await serve('next-middleware', ON_EDGE)
  }, BUILD)
  const ask = (headers: HeadersInit) => fetch(`${app.url}/reports`, { headers })

  test('gets the same from the team’s own on Edge', async () => {
    const response = await ask(from('198.51.100.6'))

    expect(app.runtime).toBe('edge')
    expect(await response.text()).toMatch(REQUEST_ID)
    expect(quotaOf(response)).toMatch(/^"default";r=99;/)
  })

  test('gives five visitors five buckets', async () => {
    expect(await leftOf(ask, 31)).toEqual(Array(5).fill(99))
  })

  test.each(BROWSER_PREFETCHES)('skips a prefetch that says %o', async (header) => {
    const response = await ask({ ...from('198.51.100.7'), ...header })

    expect(await response.text()).toMatch(REQUEST_ID)
    expect(quotaOf(response)).toBeNull()
  })

  test('skips a prefetch of the Pages Router', async () => {
    const response = await ask({ ...from('198.51.100.7'), ...PAGES_PREFETCH })

    expect(response.status).toBe(200)
    expect(quotaOf(response)).toBeNull()
  })

  test('counts a prefetch of the App Router, since it cannot tell', async () => {
    const response = await ask({ ...from('198.51.100.8'), 'next-router-prefetch': '1' })

    expect(response.status).toBe(200)
    expect(quotaOf(response)).toMatch(/^"default";r=99;/)
  })
})

const BUILDS = { Turbopack: OVER_TCP, webpack: OVER_TCP_BY_WEBPACK }
const redisUrl = { REDIS_URL: new URL('/11', inject('redisUrl')).href }

for (const [bundler, over] of Object.entries(BUILDS)) {
  describe(`examples/next-proxy with REDIS_URL as its one variable, built by ${bundler}`, () => {
    let app: Awaited<ReturnType<typeof serve>>
    beforeAll(async () => {
      app = await serve(`next-redis-url-${bundler}`, over, redisUrl)
    }, BUILD)

    test('counts in that Redis over TCP', async () => {
      const before = gateway.seen.requests
      const address = `198.51.100.${bundler.length}`
      const ask = () => fetch(`${app.url}/reports`, { headers: from(address) })
      for (let left = 99; left >= 97; left--) {
        expect(quotaOf(await ask())).toMatch(new RegExp(`^"default";r=${left};`))
      }
      expect(app.runtime).toBe('nodejs')
      expect(await gateway.redis.get(`ratelimit:${address}`)).toBe('3')
      expect(gateway.seen.requests).toBe(before)
    })
  })
}

describe('examples/next-proxy with REDIS_URL as its one variable, as middleware.ts', () => {
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    app = await serve('next-redis-url-edge', OVER_TCP_ON_EDGE, redisUrl)
  }, BUILD)

  test('says that Edge has no sockets, and what to use there', async () => {
    const response = await fetch(`${app.url}/reports`, { headers: from('198.51.100.20') })

    expect(app.runtime).toBe('edge')
    expect(quotaOf(response)).toMatch(/^"default";r=99;/)
    expect(app.log()).toContain('the Edge runtime has no sockets. Use a REST API there')
    expect(app.log()).not.toContain('npm install')
  })
})

/** By what an app is configured: its limiter's file, and the policy that counts each path. */
const ROUTED: Readonly<
  Record<
    string,
    {
      readonly file: 'middleware' | 'proxy'
      readonly config: object
      readonly counted: Readonly<Record<string, string | null>>
    }
  >
> = {
  'with a basePath, by its proxy.ts': {
    file: 'proxy',
    config: { basePath: '/shop' },
    counted: {
      '/shop/api/ping': 'api',
      '/shop/hello': 'hello',
      '/shop/_next/data/build/hello.json': 'hello',
      '/shop': 'home',
      '/shop/welcome': null,
    },
  },
  'with locales, by its middleware.ts': {
    file: 'middleware',
    config: { i18n },
    counted: {
      '/api/ping': 'api',
      '/hello': 'hello',
      '/en/hello': 'hello',
      '/fr/hello': 'hello',
      '/FR/hello': 'hello',
      '/zh-tw/hello': 'hello',
      '/_next/data/build/hello.json': 'hello',
      '/_next/data/build/fr/hello.json': 'hello',
      '/_next/data/build/fr/hell%6f.json': 'hello',
      '/fr/welcome': null,
      '/_next/data/build/fr/welcome.json': null,
    },
  },
  'with a basePath, locales and trailing slashes, by its middleware.ts': {
    file: 'middleware',
    config: { basePath: '/shop', i18n, trailingSlash: true },
    counted: {
      '/shop/api/ping/': 'api',
      '/shop/hello/': 'hello',
      '/shop/en/hello/': 'hello',
      '/shop/fr/hello/': 'hello',
      '/shop/FR/hello/': 'hello',
      '/shop/zh-TW/hello/': 'hello',
      '/shop/_next/data/build/hello.json': 'hello',
      '/shop/_next/data/build/fr/hello.json': 'hello',
      '/shop/fr/welcome/': null,
    },
  },
  'with a basePath, locales and skipProxyUrlNormalize, by its proxy.ts': {
    file: 'proxy',
    config: { basePath: '/shop', i18n, skipProxyUrlNormalize: true },
    counted: {
      '/shop/api/ping': 'api',
      '/shop/hello': 'hello',
      '/shop/fr/hello': 'hello',
      '/shop/_next/data/build/hello.json': 'hello',
      '/shop/_next/data/build/fr/hello.json': 'hello',
      '/shop/_next/data/build/fr/welcome.json': null,
    },
  },
}

describe.each(Object.entries(ROUTED))('an app %s', (name, { file, config, counted }) => {
  let app: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    app = await serve(`next-${name.replaceAll(/\W+/g, '-')}`, routed(file, config))
  }, BUILD)

  test('is counted by the paths of its pages and routes, as config.matcher matches them', async () => {
    expect(app.runtime).toBe(file === 'proxy' ? 'nodejs' : 'edge')
    for (const [path, policy] of Object.entries(counted)) {
      const response = await fetch(`${app.url}${path}`, { redirect: 'manual' })
      expect([path, response.status]).toEqual([path, 200])
      expect([path, quotaOf(response)?.match(/^"(\w+)"/)?.[1] ?? null]).toEqual([path, policy])
    }
  })
})
