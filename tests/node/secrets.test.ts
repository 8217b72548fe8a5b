import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rateLimit as forHono } from '../../src/adapters/hono.ts'
import { rateLimit as forNext } from '../../src/adapters/next.ts'
import { rateLimit as forVercel } from '../../src/adapters/vercel.ts'
import { doctor } from '../../src/doctor/doctor.ts'
import { readSettings } from '../../src/gateway/settings.ts'
import {
  createLimiter,
  guard,
  header,
  ip,
  memory,
  type StoreEvent,
  storeFromEnv,
} from '../../src/index.ts'
import { storeFromEnv as storeOnNode } from '../../src/node.ts'
import { policiesFromEnv } from '../../src/policy/policies-from-env.ts'
import { redactedMessage } from '../../src/redact.ts'
import { durableObject } from '../../src/stores/durable-object.ts'
import { redis } from '../../src/stores/redis.ts'
import { batching, upstash } from '../../src/stores/upstash.ts'
import { vercelKv } from '../../src/stores/vercel-kv.ts'
import { front } from '../../src/worker/front.ts'

const PASSWORD = 's3cret'
/** Values that hold a password, as they are pasted by mistake. */
const VALUES = [
  `redis://default:${PASSWORD}@db.example.com:6379`,
  `rediss://default:${PASSWORD}/with@slash@db.example.com:6379/0`,
  `https://default:${PASSWORD}@eu1-calm-1234.upstash.io`,
  `https://eu1-calm-1234.upstash.io/?_token=${PASSWORD}`,
  `default:${PASSWORD}@db.example.com`,
  `UPSTASH_REDIS_REST_TOKEN=${PASSWORD}`,
  ` redis://default:${PASSWORD}@db.example.com `,
  `https:/default:${PASSWORD}@db.example.com`,
  `https:default:${PASSWORD}@db.example.com`,
  `https:\\\\default:${PASSWORD}@db.example.com`,
  `TOKEN=${PASSWORD}`,
  `Bearer ${PASSWORD}`,
  `{"token":"${PASSWORD}"}`,
  `/set/key?_token=${PASSWORD}`,
  `${PASSWORD}-token-16-chars`,
  `/${PASSWORD}vJ2mQ8xT5kN7wR4pL9yB3cF6hD1gS0aZqE8uVtXo`,
  `"https://default:${PASSWORD}@eu1-calm-1234.upstash.io"`,
]

type Make = (value: never) => unknown
const request = () => new Request('https://example.com/')

const LIMITER_OPTIONS = [
  ...['limit', 'window', 'name', 'client', 'match', 'methods', 'unknown', 'lease', 'policies'],
  ...['store', 'timeout', 'headers', 'onStoreEvent', 'clock', 'timer'],
]
const good = { limit: 1, window: '1m', store: memory(), client: () => 'a' } as const

/** What the gateway must be given: what is missing would throw before what is wrong. */
const COMPLETE = [
  `--token=${crypto.randomUUID()}`,
  // Files that can be read, and look like PEM.
  ...['--tls-cert=src/gateway/settings.ts', '--tls-key=src/gateway/settings.ts'],
]

/** Every option of every entry, by what a caller writes. */
const ENTRIES: Readonly<Record<string, Make>> = {
  ...Object.fromEntries(
    LIMITER_OPTIONS.flatMap((option): [string, Make][] => {
      const withOption = (value: never) => ({ ...good, [option]: value }) as never
      return [
        [`createLimiter({ ${option} })`, (value) => createLimiter(withOption(value))],
        [`rateLimit of Hono ({ ${option} })`, (value) => forHono(withOption(value))],
        [`rateLimit of Next.js ({ ${option} })`, (value) => forNext(withOption(value))],
        [`rateLimit of Vercel ({ ${option} })`, (value) => forVercel(withOption(value))],
        [
          `policies[0].${option}`,
          (value) => {
            const { store, ...policy } = { ...good, [option]: value }
            return createLimiter({ store, policies: [policy as never] })
          },
        ],
        [`front({ ${option} })`, (value) => ask(front({ [option]: value }), {})],
      ]
    }),
  ),
  'createLimiter(options)': (value) => createLimiter(value),
  'createLimiter({ lease: { ahead } })': (value) =>
    createLimiter({ ...good, lease: { ahead: value } }),
  'createLimiter({ methods: [method] })': (value) => createLimiter({ ...good, methods: [value] }),
  'createLimiter({ match: [path] })': (value) => createLimiter({ ...good, match: [value] }),
  'createLimiter({ headers: [style] })': (value) => createLimiter({ ...good, headers: [value] }),
  'an unknown option': (value) => createLimiter({ ...good, [value]: 1 } as never),
  'skipPrefetches of Next.js': (value) => forNext({ ...good, skipPrefetches: value }),
  'the answer of a client function': (value) =>
    createLimiter({ ...good, client: () => ({ plain: [value] }) as never }).check(request()),
  'a store that fails': (value) =>
    new Promise((resolve, reject) => {
      // What cannot be told from any other word of a stranger's error is shown.
      const words = /^\/?s3cret/.test(value) ? 'it' : value
      const take = () => Promise.reject(new Error(`${words} failed`))
      const onStoreEvent = (event: StoreEvent) =>
        void written.push(event.type === 'back' ? event : event.error)
      createLimiter({ ...good, store: { guard, take }, onStoreEvent })
        .check(request())
        .then(resolve, reject)
    }),
  'the answer of a store function': (value) =>
    createLimiter({ ...good, store: () => value }).check(request()),
  'a store function that fails': (value) =>
    createLimiter({ ...good, store: () => upstash(value) }).check(request()),
  'front({ cors })': (value) => ask(front({ cors: value }), {}),
  'memory(options)': (value) => memory(value),
  'memory({ maxKeys })': (value) => memory({ maxKeys: value }),
  'memory({ clock })': (value) => memory({ clock: value }),
  'header(name)': (value) => header(value),
  'ip(options)': (value) => ip(value),
  'ip({ header })': (value) => ip({ header: value }),
  'ip({ trustedHops })': (value) => ip({ trustedHops: value }),
  'ip({ platform })': (value) => ip({ platform: value }),
  'ip({ ipv6Prefix })': (value) => ip({ ipv6Prefix: value }),
  'upstash(source)': (value) => upstash(value),
  'upstash({ url })': (value) => check(upstash({ url: value, token: 'token' })),
  'upstash({ token })': (value) =>
    check(upstash({ url: 'http://127.0.0.1:1', token: `${value}`.replace(/[\s"]/g, '') })),
  'upstash({ prefix })': (value) =>
    upstash({ url: 'http://127.0.0.1:1', token: 't' }, { prefix: value }),
  'upstash({ fetch })': (value) =>
    upstash({ url: 'http://127.0.0.1:1', token: 't' }, { fetch: value }),
  'upstash({ batch })': (value) =>
    upstash({ url: 'http://127.0.0.1:1', token: 't' }, { batch: value }),
  'batching(options)': (value) => batching(value),
  'batching({ wait })': (value) => batching({ wait: value }),
  'upstash(client, options)': (value) => upstash({ url: 'http://127.0.0.1:1', token: 't' }, value),
  'vercelKv(client)': (value) => vercelKv(value),
  'vercelKv(undefined, { prefix })': (value) => vercelKv(undefined, { prefix: value }),
  'redis(client)': (value) => redis(value),
  'redis(client, options)': (value) => redis({} as never, value),
  'durableObject(namespace)': (value) => durableObject(value),
  'durableObject(namespace, options)': (value) => durableObject(namespace, value),
  'durableObject(namespace, { shards })': (value) => durableObject(namespace, { shards: value }),
  'durableObject(namespace, { locationHint })': (value) =>
    durableObject(namespace, { locationHint: value }),
  'a Durable Object that fails': (value) => {
    const words = /^\/?s3cret/.test(value) ? 'it' : value
    const take = () => Promise.reject(new Error(`${words} failed`))
    const failing = { ...namespace, get: () => ({ take }) }
    return check(durableObject(failing))
  },
  'doctor(target)': (value) => doctor(value),
  'doctor(target, { prefix })': (value) => doctor(memory(), { prefix: value }),
  'doctor(target, { timeout })': (value) => doctor(memory(), { timeout: value }),
  'policiesFromEnv(value)': (value) => policiesFromEnv(value),
  ...Object.fromEntries(
    ['--redis', '--host', '--port', '--token', '--allow', '--tls-cert', '--tls-key'].map(
      (flag): [string, Make] => [
        `gateway ${flag}`,
        (value) => readSettings([...COMPLETE, `${flag}=${value}`], {}),
      ],
    ),
  ),
  ...Object.fromEntries(
    ['REDIS_URL', 'PORT', 'GATEWAY_TOKEN'].map((name): [string, Make] => [
      `gateway ${name}`,
      (value) =>
        readSettings(name === 'GATEWAY_TOKEN' ? [] : COMPLETE.slice(0, 1), { [name]: value }),
    ]),
  ),
  ...Object.fromEntries(
    ['POLICIES', 'ORIGIN_URL', 'ORIGIN_SECRET', 'ORIGIN_TIMEOUT', 'CORS_ORIGINS'].map(
      (name): [string, Make] => [
        `the Worker's ${name}`,
        (value) =>
          ask(front(), {
            POLICIES: [{ limit: 1, window: '1m' }],
            ORIGIN_URL: 'http://127.0.0.1:1',
            [name]: value,
          }),
      ],
    ),
  ),
  ...Object.fromEntries(
    [
      ...['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN', 'UPSTASH_REDIS_URL'],
      ...['KV_REST_API_URL', 'KV_REST_API_TOKEN', 'KV_URL', 'REDIS_URL', 'UPSTASH_URL'],
    ].flatMap((name): [string, Make][] => [
      [`storeFromEnv({ ${name} })`, (value) => storeFromEnv({ [name]: value })],
      [`storeFromEnv of Node ({ ${name} })`, (value) => storeOnNode({ [name]: value })],
    ]),
  ),
}

const namespace = { idFromName: () => ({}), get: () => ({}) }
const ask = (gate: ReturnType<typeof front>, env: object) => gate.fetch(request(), env)
const check = (store: ReturnType<typeof memory>) =>
  createLimiter({ ...good, store, timeout: 200 }).check(request())

/** Everything that leaves us: what was thrown or returned, and what was written to the console. */
const written: unknown[] = []

beforeEach(() => {
  written.length = 0
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((...parts) => void written.push(...parts))
  }
})
afterEach(() => void vi.restoreAllMocks())

/** An error with all that a logger would print of it. */
const textOf = (value: unknown): string =>
  value instanceof Error
    ? `${value.stack} ${JSON.stringify(value)} ${textOf(value.cause)}`
    : `${JSON.stringify(value)}`

describe('no error and no log shows the password of', () => {
  for (const [entry, make] of Object.entries(ENTRIES)) {
    test(entry, async () => {
      for (const value of VALUES) {
        try {
          const made = await make(value as never)
          if (made instanceof Response) written.push(await made.text())
        } catch (error) {
          written.push(error)
        }
      }
      for (const value of written) expect(textOf(value)).not.toContain(PASSWORD)
    })
  }
})

describe('a redacted message', () => {
  const shown: readonly (readonly [text: string, redacted: string])[] = [
    ['connect to redis://user:s3cret@db.example.com:6379 failed', 'redis://db.example.com:6379 '],
    ['connect to rediss://u:s3cret/with@s3cret@db.example.com failed', 'rediss://db.example.com '],
    ['user:s3cret@db.example.com is away', '… is away'],
    ['GET https://kv.internal/s3cret?_token=s3cret failed', 'GET https://kv.internal/… failed'],
    ['GET https://kv.internal failed', 'GET https://kv.internal failed'],
    ['no Authorization: Bearer s3cret here', 'Authorization: Bearer … here'],
    ['{"token": "s3cret"} is not valid', '{"token": "…"} is not valid'],
    ['bad password=s3cret', 'bad password=…'],
    ['ERR no, command was: ["incrby","ratelimit:s3cret"]', 'ERR no'],
    ["ERR no script, with args beginning with: 's3cret' ", 'ERR no script'],
    ['OOM script: 1f, on @user_script:7.', 'OOM script: 1f, on @user_script:7.'],
  ]
  for (const [text, redacted] of shown) {
    test(`of "${text}" is "${redacted}"`, () => {
      for (const error of [text, new Error(text)]) {
        expect(redactedMessage(error)).toContain(redacted)
        expect(redactedMessage(error)).not.toContain(PASSWORD)
      }
    })
  }

  test('has none of the given secrets, also where it is cut off', () => {
    const text = `key ratelimit:s3cret:login ${'x'.repeat(170)} s3cret`
    expect(redactedMessage(text, ['', 's3cret'])).toMatch(/^key ratelimit:…:login x+ …$/)
    expect(redactedMessage(`${'x'.repeat(197)}s3cret`, ['s3cret'])).not.toContain('s3c')
  })

  test('is one line, and cannot steer a terminal', () => {
    const text = 'ERR no\r\ntidegate: the store is back\u2028\u001b[2K\u202e now'
    expect(redactedMessage(text)).toBe('ERR no tidegate: the store is back [2K now')
  })

  test('of a long text takes no longer than its length', () => {
    for (const part of ['x', '://', 'a@://', '@user_script', 'key=', 'bearer ', '://x/?', ', ']) {
      const text = part.repeat(100_000 / part.length)
      const start = performance.now()
      redactedMessage(text, ['s3cret'])
      expect(performance.now() - start, part).toBeLessThan(500)
    }
  })

  test('has the code of the cause', () => {
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    expect(redactedMessage(new TypeError('fetch failed', { cause }))).toBe(
      'fetch failed (ECONNREFUSED)',
    )
  })
})
