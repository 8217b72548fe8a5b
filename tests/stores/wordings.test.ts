import { Redis } from '@upstash/redis/cloudflare'
import { describe, expect, test } from 'vitest'
import type { RedisCommands } from '../../src/stores/redis-protocol/redis-commands.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { type RestModelOptions, restModel } from '../support/rest-model.ts'

const OF_UPSTASH = { url: 'https://eu1-calm-1234.upstash.io', token: 'token' }
const OF_ANYBODY = { url: 'https://redis.example.com', token: 'token' }

let clients = 0
const demand = (more = {}) => ({
  policy: '',
  client: `client-${clients++}`,
  limit: 5,
  window: 1000,
  cost: 1,
  ...more,
})

function storeAt(source: { url: string; token: string }, options?: RestModelOptions, more = {}) {
  const server = restModel(options)
  return { server, store: upstash(source, { fetch: server.fetch, ...more }) }
}

/** A store over a client of @upstash/redis, whose `fetch` is the global one. */
async function withClient(
  source: { url: string; token: string },
  options: RestModelOptions,
  body: (store: ReturnType<typeof upstash>, server: ReturnType<typeof restModel>) => Promise<void>,
) {
  const server = restModel(options)
  const own = globalThis.fetch
  globalThis.fetch = server.fetch
  try {
    await body(upstash(new Redis({ ...source, responseEncoding: false })), server)
  } finally {
    globalThis.fetch = own
  }
}

describe('a cold isolate takes one trip for its first check, by the form that the address tells', () => {
  for (const url of [
    OF_UPSTASH.url,
    'https://EU1-CALM-1234.UPSTASH.IO/',
    'https://us1.eu.upstash.io:443',
    'https://db.upstash.io/path',
  ]) {
    test(`locking for ${url}`, async () => {
      const { server, store } = storeAt({ ...OF_UPSTASH, url })
      for (let check = 0; check < 3; check++) await store.take([demand()])
      expect(server.asked()).toEqual(['EVAL locking', 'EVALSHA locking', 'EVALSHA locking'])
    })
  }

  for (const url of [
    OF_ANYBODY.url,
    'http://127.0.0.1:8079',
    'https://upstash.io.example.com',
    'https://example.com/db.upstash.io',
    'https://notupstash.io',
  ]) {
    test(`plain for ${url}`, async () => {
      const { server, store } = storeAt({ ...OF_ANYBODY, url }, { rejects: 'never sent' })
      for (let check = 0; check < 3; check++) await store.take([demand()])
      expect(server.asked()).toEqual(['EVAL plain', 'EVALSHA plain', 'EVALSHA plain'])
    })
  }

  test('locking for a custom domain that is said to be of Upstash, and plain where it is said not to', async () => {
    for (const [source, keyLocking, form] of [
      [OF_ANYBODY, true, 'EVAL locking'],
      [OF_UPSTASH, false, 'EVAL plain'],
    ] as const) {
      const { server, store } = storeAt(source, {}, { keyLocking })
      await store.take([demand()])
      expect(server.asked()).toEqual([form])
    }
  })

  for (const [source, form] of [
    [OF_UPSTASH, 'locking'],
    [OF_ANYBODY, 'plain'],
  ] as const) {
    test(`${form} for a client of @upstash/redis to ${source.url}`, async () => {
      await withClient(source, {}, async (store, server) => {
        for (let check = 0; check < 2; check++) await store.take([demand()])
        expect(server.asked()).toEqual([`EVAL ${form}`, `EVALSHA ${form}`])
      })
    })
  }

  test('whatever is no option of its own is refused', () => {
    expect(() => upstash(OF_UPSTASH, { keyLocking: 'yes' as never })).toThrow(
      /^keyLocking: expected true or false.*, got "yes"/,
    )
  })
})

const HEADERS_REJECTED = {
  'Redis 7': 'ERR Unexpected flag in script shebang: allow-key-locking',
  'Redis 6': "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
  Dragonfly: 'ERR Invalid flag: allow-key-locking',
  'ioredis-mock': '[string "..."]:1: unexpected symbol near \'#\'',
  nobody: 'ERR script error 42',
  'somebody with codes of his own': 'BADSCRIPT 42',
}

describe('a header that a server rejects is left out at once and for good, in the words of', () => {
  for (const [name, rejects] of Object.entries(HEADERS_REJECTED)) {
    test(`${name}`, async () => {
      const { server, store } = storeAt(OF_UPSTASH, { rejects })
      for (let check = 0; check < 3; check++) {
        expect((await store.take([demand()]))[0]).toMatchObject({ granted: 1, used: 1 })
      }
      const forms = ['EVAL locking', 'EVAL plain', 'EVALSHA plain', 'EVALSHA plain']
      expect(server.asked()).toEqual(forms)
    })

    test(`${name}, through a client of @upstash/redis`, async () => {
      await withClient(OF_UPSTASH, { rejects }, async (store, server) => {
        await store.take([demand()])
        await store.take([demand()])
        expect(server.asked()).toEqual(['EVAL locking', 'EVAL plain', 'EVALSHA plain'])
      })
    })
  }
})

describe('a header that is rejected in words that may mean anything is tried once more', () => {
  for (const rejects of ['ERR cannot run NOAUTH OOM READONLY #!lua', 'ERR 42', 'ODD']) {
    test(rejects, async () => {
      const { server, store } = storeAt(OF_UPSTASH, { rejects })
      for (let check = 0; check < 4; check++) {
        expect((await store.take([demand()]))[0]).toMatchObject({ granted: 1, used: 1 })
      }
      expect(server.asked()).toEqual([
        ...['EVAL locking', 'EVAL plain', 'EVAL locking', 'EVAL plain'],
        ...['EVALSHA plain', 'EVALSHA plain'],
      ])
    })
  }
})

const SETTLED = {
  "NOPERM this user has no permissions to run the 'eval' command": 'unauthorized',
  'WRONGPASS invalid or missing auth token': 'unauthorized',
  'NOAUTH Authentication required.': 'unauthorized',
  Unauthorized: 'unauthorized',
  "ERR The user executing the script can't run this command or subcommand script: 1f, on @user_script:7.":
    'unauthorized',
  "OOM command not allowed when used memory > 'maxmemory'.": 'rejected',
  "ERR Error running script (call to f_1f): @user_script:6: @user_script: 6: -OOM command not allowed when used memory > 'maxmemory'. ":
    'rejected',
  'MISCONF Redis is configured to save RDB snapshots': 'rejected',
  "READONLY You can't write against a read only replica.": 'rejected',
  'LOADING Redis is loading the dataset in memory': 'rejected',
  'BUSY Redis is busy running a script.': 'rejected',
  'WRONGTYPE Operation against a key holding the wrong kind of value': 'rejected',
  'MOVED 3999 127.0.0.1:6381': 'rejected',
  "CROSSSLOT Keys in request don't hash to the same slot": 'rejected',
  'CLUSTERDOWN Hash slot not served': 'rejected',
  'TRYAGAIN Multiple keys request during rehashing of slot': 'rejected',
  'ERR max daily request limit exceeded. Limit: 10000, Usage: 10000': 'rejected',
  'ERR max requests limit exceeded': 'rejected',
  'ERR Connection timed out': 'rejected',
  'ERR server connection close': 'rejected',
  'ERR upstream failure': 'rejected',
  'ERR timeout': 'rejected',
  'ERR Internal error': 'rejected',
  'UNAVAILABLE try later': 'rejected',
  'ERR DB is being migrated': 'rejected',
  'ERR value is not an integer or out of range script: 1f, on @user_script:7.': 'rejected',
}

describe('an error that no other form of the script would avoid is not asked for twice', () => {
  for (const [fails, code] of Object.entries(SETTLED)) {
    test(`${fails.slice(0, 60)}`, async () => {
      const { server, store } = storeAt(OF_UPSTASH, { fails })
      await expect(store.take([demand()])).rejects.toMatchObject({ code })
      expect(server.asked()).toEqual(['EVAL locking'])
    })
  }

  for (const words of ['fetch failed', 'connect ECONNREFUSED 127.0.0.1:9', 'ECONNRESET', '']) {
    test(`"${words}" from the network, whose command may have run`, async () => {
      let sent = 0
      const fail = async () => {
        sent++
        throw new TypeError(words)
      }
      const store = upstash(OF_UPSTASH, { fetch: fail })
      await expect(store.take([demand()])).rejects.toMatchObject({ code: 'unreachable' })
      expect(sent).toBe(1)
    })
  }
})

describe('a hash that a server does not know is followed by the text, in the words of', () => {
  const wordings = {
    Redis: 'NOSCRIPT No matching script. Please use EVAL.',
    Valkey: 'NOSCRIPT No matching script.',
    'a proxy': 'ReplyError: NOSCRIPT No matching script',
    'another proxy': 'Failed to execute Redis command: ReplyError: NOSCRIPT No matching script',
    'a server with other codes': 'ERR unknown script',
    'a server without codes': 'script not found',
  }
  for (const [name, unknownHash] of Object.entries(wordings)) {
    test(`${name}`, async () => {
      const { server, store } = storeAt(OF_ANYBODY, { unknownHash })
      await store.take([demand()])
      server.forget()
      expect((await store.take([demand()]))[0]).toMatchObject({ granted: 1, used: 1 })
      await store.take([demand()])
      const forms = ['EVAL plain', 'EVALSHA plain', 'EVAL plain', 'EVALSHA plain']
      expect(server.asked()).toEqual(forms)
    })
  }
})

test('any other error to a hash may have run: the call fails, and the next one sends the text', async () => {
  const { server, store } = storeAt(OF_ANYBODY, { unknownHash: 'ERR no such thing' })
  await store.take([demand()])
  server.forget()
  await expect(store.take([demand()])).rejects.toMatchObject({ code: 'rejected' })
  expect((await store.take([demand()]))[0]).toMatchObject({ granted: 1, used: 1 })
  expect(server.asked()).toEqual(['EVAL plain', 'EVALSHA plain', 'EVAL plain'])
})

test('an error with status 200 is one through a client of @upstash/redis, too', async () => {
  const own = globalThis.fetch
  globalThis.fetch = async () => Response.json({ error: 'OOM command not allowed' })
  try {
    const taken = upstash(new Redis(OF_ANYBODY)).take([demand()])
    await expect(taken).rejects.toMatchObject({ code: 'rejected', message: /OOM/ })
  } finally {
    globalThis.fetch = own
  }
})

describe('an error that quotes a key is told by its code alone', () => {
  const failing = (message: string) => {
    const fail = async () => {
      throw Object.assign(new Error(message), { name: 'ReplyError' })
    }
    const client: RedisCommands = { eval: fail, evalsha: fail, incrby: fail }
    return redisStore(client, { name: 'fake', prefix: 'k' })
  }
  const cases = {
    'ERR unknown key k:NOPERM': ['rejected', 'ERR unknown key k:NOPERM'],
    'ERR k: is not free, says NOAUTH': ['rejected', 'says NOAUTH'],
    'WRONGTYPE of key k:MOVED 1': ['rejected', 'WRONGTYPE of key k:MOVED 1'],
    "MISCONF of key WRONGPASS can't run this command": ['rejected', 'MISCONF'],
    'OOM with k:unauthorized': ['rejected', 'OOM with k:unauthorized'],
    'something about k:LOADING that has no code': ['unreachable', 'no code'],
  } as const
  for (const [message, [code, part]] of Object.entries(cases)) {
    test(message, async () => {
      const error: unknown = await failing(message)
        .take([demand()])
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, message: expect.stringContaining(part) })
      expect(String(error)).not.toMatch(/Cluster|read-only token|does not accept this token/)
    })
  }
})
