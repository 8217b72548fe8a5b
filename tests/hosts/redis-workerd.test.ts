import { afterAll, describe, expect, inject, test } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

/** A connection belongs to the request that opened it, so each request makes its own. */
const CLIENTS = {
  ioredis: {
    imports: "import { Redis } from 'ioredis'",
    make: 'new Redis(env.REDIS_URL, { lazyConnect: true, maxRetriesPerRequest: 0 })',
    end: 'client.quit()',
  },
  'node-redis': {
    imports: "import { createClient } from 'redis'",
    make: 'await createClient({ url: env.REDIS_URL }).connect()',
    end: 'client.close()',
  },
}

describe('on Workers with nodejs_compat, a client made for each request', () => {
  for (const [name, { imports, make, end }] of Object.entries(CLIENTS)) {
    test(`of ${name} counts over TCP`, async () => {
      const script = await bundle({
        platform: 'node',
        conditions: ['workerd', 'node', 'import'],
        banner: {
          js: "import { createRequire } from 'node:module'; const require = createRequire('/')",
        },
        stdin: {
          loader: 'ts',
          resolveDir: process.cwd(),
          contents: `
            ${imports}
            import { createLimiter } from './src/index.ts'
            import { redis } from './src/stores/redis.ts'
            export default {
              async fetch(request, env, context) {
                const client = ${make}
                const store = redis(client)
                const limiter = createLimiter({ name: env.NAME, limit: 3, window: '1m', store })
                const decision = await limiter.check(request)
                context.waitUntil(${end})
                return Response.json(decision)
              },
            }`,
        },
      })
      const env = { REDIS_URL: inject('redisUrl'), NAME: `${name}-${crypto.randomUUID()}` }
      const worker = await startWorker({ script, env, nodejsCompat: true })
      stops.push(worker.stop)
      const decisions = []
      for (let i = 0; i < 5; i++) decisions.push(await (await worker.fetch('/')).json())
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false])
      // The limiter of each request shares what the isolate knows.
      const sources = ['store', 'store', 'store', 'known', 'known']
      expect(decisions.map(({ source }) => source)).toEqual(sources)
    })
  }
})
