import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter'
import { RedisStore as OldStore } from '@hono-rate-limiter/redis'
import { Queue } from '@upstash/queue'
import { Redis } from '@upstash/redis'
import { Hono } from 'hono'
import { RedisStore, rateLimiter } from 'hono-rate-limiter'
import { createStorage } from 'unstorage'
import upstashDriver from 'unstorage/drivers/upstash'
import vercelKvDriver from 'unstorage/drivers/vercel-kv'
import { Redis as Redis10 } from 'upstash-redis-1.0'
import { Redis as Redis120 } from 'upstash-redis-1.20'
import { Redis as Redis131 } from 'upstash-redis-1.31'
import { expect } from 'vitest'
import type { Endpoint } from '../../support/servers.ts'

// Its `kv` looks for its variables as soon as it is imported by a tool that looks at its exports.
process.env.KV_REST_API_URL = 'http://localhost'
process.env.KV_REST_API_TOKEN = 'unused'
const { createClient } = await import('@vercel/kv')

/** Software of others that speaks to the gateway. */
export interface Consumer {
  /** As docs/gateway.md names it, in the row that says what it needs. */
  readonly name: string
  /** What it does there, some of it at two gateways of different databases. */
  readonly checks: Readonly<Record<string, (at: Endpoint, elsewhere: Endpoint) => Promise<unknown>>>
}

const client = (at: Endpoint) => new Redis({ ...at, enableTelemetry: false, retry: { retries: 0 } })

const id = () => crypto.randomUUID()

/** What an application with a limit of 2 answers to three requests. */
async function statuses(store: unknown) {
  const app = new Hono()
  const limit = 2
  app.use(rateLimiter({ windowMs: 60_000, limit, keyGenerator: () => 'client', store } as never))
  app.get('/', (c) => c.text('ok'))
  const all: number[] = []
  for (let request = 0; request < 3; request++) all.push((await app.request('/')).status)
  return all
}

async function works(redis: Redis) {
  const key = id()
  expect(await redis.set(key, 'text', { ex: 60 })).toBe('OK')
  expect(await redis.get(key)).toBe('text')
  expect(await redis.pipeline().set(key, 1).incr(key).exec()).toEqual(['OK', 2])
}

async function worksAsOne(redis: Redis) {
  const key = id()
  expect(await redis.eval('return ARGV[1]', [key], ['x'])).toBe('x')
  expect(await redis.multi().set(key, 1).incr(key).get(key).exec()).toEqual(['OK', 2, 2])
}

const USER = { email: 'a@example.com', emailVerified: null }

export const CONSUMERS: readonly Consumer[] = [
  {
    name: '`hono-rate-limiter`, `@hono-rate-limiter/redis`',
    checks: {
      'the store of hono-rate-limiter': async (at) => {
        const store = new RedisStore({ client: client(at), prefix: id() })
        expect(await statuses(store)).toEqual([200, 200, 429])
        await store.decrement('client')
        expect(await store.get('client')).toMatchObject({ totalHits: 2 })
        await store.resetKey('client')
      },
      'the store of @hono-rate-limiter/redis': async (at) => {
        const store = new OldStore({ client: client(at), prefix: id() })
        expect(await statuses(store)).toEqual([200, 200, 429])
        await store.decrement('client')
        expect(await store.get('client')).toMatchObject({ totalHits: 2 })
        await store.resetKey('client')
      },
    },
  },
  {
    name: '`unstorage`: drivers `upstash` and `vercel-kv`',
    checks: Object.fromEntries(
      Object.entries({ upstash: upstashDriver, 'vercel-kv': vercelKvDriver }).flatMap(
        ([name, driver]) => [
          [
            `items by the driver ${name}`,
            async (at) => {
              const storage = createStorage({ driver: driver({ ...at, base: id() }) })
              await storage.setItem('a', { n: 1 })
              await storage.setItem('b', 'text', { ttl: 60 })
              expect(await storage.getItem('a')).toEqual({ n: 1 })
              expect(await storage.hasItem('b')).toBe(true)
              expect(await storage.getItems(['a', 'b'])).toHaveLength(2)
              await storage.removeItem('a')
              expect(await storage.hasItem('a')).toBe(false)
            },
          ],
          [
            `keys by the driver ${name}`,
            async (at) => {
              const storage = createStorage({ driver: driver({ ...at, base: id() }) })
              await storage.setItem('a', 1)
              expect(await storage.getKeys()).toHaveLength(1)
              await storage.clear()
              expect(await storage.getKeys()).toEqual([])
            },
          ],
        ],
      ),
    ),
  },
  {
    name: '`@upstash/queue`',
    checks: {
      'a message': async (at) => {
        const queue = new Queue({ redis: client(at) as never, queueName: id() })
        expect(await queue.sendMessage({ hello: 1 })).toMatch(/^\d+-\d+$/)
        expect(await queue.receiveMessage()).toMatchObject({ body: { hello: 1 } })
      },
      'a message that is verified by hand': async (at) => {
        const options = { queueName: id(), autoVerify: false, concurrencyLimit: 2 } as const
        const queue = new Queue({ redis: client(at) as never, ...options })
        await queue.sendMessage('text')
        const message = await queue.receiveMessage()
        expect(await queue.verifyMessage(message?.streamId ?? '')).toBe('VERIFIED')
      },
    },
  },
  {
    name: '`@auth/upstash-redis-adapter`',
    checks: {
      'a user': async (at) => {
        const adapter = UpstashRedisAdapter(client(at), { baseKeyPrefix: id() })
        const user = await adapter.createUser?.({ id: '', ...USER })
        expect(await adapter.getUserByEmail?.(USER.email)).toMatchObject({ id: user?.id })
        await adapter.updateUser?.({ id: user?.id ?? '', name: 'Name' })
        expect(await adapter.getUser?.(user?.id ?? '')).toMatchObject({ name: 'Name' })
      },
      'a session and an account': async (at) => {
        const adapter = UpstashRedisAdapter(client(at), { baseKeyPrefix: id() })
        const user = await adapter.createUser?.({ id: '', ...USER })
        const userId = user?.id ?? ''
        const expires = new Date(Date.now() + 60_000)
        await adapter.createSession?.({ sessionToken: 'token', userId, expires })
        expect(await adapter.getSessionAndUser?.('token')).toMatchObject({ user: { id: userId } })
        const account = { provider: 'p', providerAccountId: '1' }
        await adapter.linkAccount?.({ ...account, userId, type: 'oauth' })
        expect(await adapter.getUserByAccount?.(account)).toMatchObject({ id: userId })
        await adapter.unlinkAccount?.(account)
        await adapter.deleteSession?.('token')
        await adapter.deleteUser?.(userId)
        expect(await adapter.getUser?.(userId)).toBeNull()
      },
      'a token of verification': async (at) => {
        const adapter = UpstashRedisAdapter(client(at), { baseKeyPrefix: id() })
        const token = { identifier: USER.email, token: 'token' }
        await adapter.createVerificationToken?.({ ...token, expires: new Date() })
        expect(await adapter.useVerificationToken?.(token)).toMatchObject(token)
        expect(await adapter.useVerificationToken?.(token)).toBeNull()
      },
    },
  },
  {
    name: '`@upstash/redis` from 1.0.3, `@vercel/kv`: commands of the default list',
    checks: {
      'commands, by 1.0.3': (at) => works(new Redis10(at)),
      'commands, by 1.20.6': (at) => works(new Redis120(at)),
      'a script and a transaction, by 1.20.6': (at) => worksAsOne(new Redis120(at)),
      'commands, by 1.31.6': (at) => works(new Redis131(at)),
      'a script and a transaction, by 1.31.6': (at) => worksAsOne(new Redis131(at)),
      'commands, by the newest': (at) => works(client(at)),
      'a script and a transaction, by the newest': (at) => worksAsOne(client(at)),
      'commands, by @vercel/kv': (at) => works(createClient(at)),
    },
  },
  {
    name: '`upstash-ratelimit` (Python)',
    checks: {
      'what its algorithms send': async (at) => {
        for (const [keys, args] of [
          [[id()], [60_000, 1]],
          [
            [id(), id()],
            [2, Date.now(), 60_000, 1],
          ],
          [[id()], [2, 60_000, 2, Date.now(), 1]],
        ] as const) {
          const sent = await client(at).exec(['EVAL', PYTHON_SCRIPT, keys.length, ...keys, ...args])
          expect(sent).toEqual([...args])
        }
      },
      'what it asks for what is left, and until when': async (at) => {
        const redis = client(at)
        const [key, bucket] = [id(), id()]
        await redis.set(key, 1)
        const fill = `return redis.call('HSET', KEYS[1], 'refilled_at', 1, 'tokens', 2)`
        await redis.eval(fill, [bucket], [])
        expect(await redis.exec(['get', key])).toBe(1)
        expect(await redis.exec(['mget', key, id()])).toEqual([1, null])
        expect(await redis.exec(['hmget', bucket, 'refilled_at', 'tokens'])).toEqual([1, 2])
        expect(await redis.exec(['hget', bucket, 'refilled_at'])).toBe(1)
      },
    },
  },
]

/** Its header, in front of a script that gives back what it was given. */
const PYTHON_SCRIPT = '#!lua flags=allow-key-locking\n    return ARGV\n'
