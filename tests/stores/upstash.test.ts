import { Redis } from '@upstash/redis/cloudflare'
import { Redis as Redis131 } from 'upstash-redis-1.31.1/cloudflare'
import { describe, expect, inject, test } from 'vitest'
import { StoreError } from '../../src/index.ts'
import { TAKE } from '../../src/stores/redis-protocol/script.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { redisCommand } from '../support/subjects.ts'

/** Notes the command of every request, and answers in Redis's place where `answer` does. */
function spyFetch(answer: (command: readonly string[]) => Response | undefined = () => undefined) {
  const commands: string[][] = []
  const spy: typeof fetch = async (input, init) => {
    const command: string[] = JSON.parse(String(init?.body))
    commands.push(command)
    return answer(command) ?? fetch(input, init)
  }
  return { fetch: spy, commands, names: () => commands.map(([name]) => name) }
}

const demand = (more = {}) => ({
  policy: 'upstash',
  client: crypto.randomUUID(),
  limit: 5,
  window: 1000,
  cost: 1,
  ...more,
})

describe('trips', () => {
  test('a server that locks by key takes one request per check from the first on', async () => {
    const spy = spyFetch()
    const store = upstash(inject('upstash'), { fetch: spy.fetch, keyLocking: true })
    for (let check = 0; check < 4; check++) await store.take([demand()])
    expect(spy.names()).toEqual(['EVAL', 'EVALSHA', 'EVALSHA', 'EVALSHA'])
    expect(spy.commands[0]?.[1]).toBe(TAKE.locking.text)
    expect(spy.commands[1]?.[1]).toBe(TAKE.locking.sha)
  })

  test('a plain Redis takes one request per check from the first on, too', async () => {
    const spy = spyFetch()
    const store = upstash(inject('gateway'), { fetch: spy.fetch })
    for (let check = 0; check < 3; check++) await store.take([demand()])
    expect(spy.names()).toEqual(['EVAL', 'EVALSHA', 'EVALSHA'])
    expect(spy.commands[0]?.[1]).toBe(TAKE.plain.text)
    expect(spy.commands.slice(1).every(([, sha]) => sha === TAKE.plain.sha)).toBe(true)
  })

  test('a server that is said to lock by key, and rejects the header, is asked without it', async () => {
    const spy = spyFetch(([, text]) =>
      text === TAKE.locking.text
        ? Response.json({ error: 'ERR Unexpected flag in script shebang' }, { status: 400 })
        : undefined,
    )
    const store = upstash(inject('gateway'), { fetch: spy.fetch, keyLocking: true })
    for (let check = 0; check < 3; check++) await store.take([demand()])
    expect(spy.names()).toEqual(['EVAL', 'EVAL', 'EVALSHA', 'EVALSHA'])
    expect(spy.commands.slice(2).every(([, sha]) => sha === TAKE.plain.sha)).toBe(true)
  })

  test('a script that the server forgot is sent once more', async () => {
    const forgetful = { now: false }
    const spy = spyFetch(([name]) =>
      forgetful.now && name === 'EVALSHA'
        ? Response.json({ error: 'NOSCRIPT No matching script.' }, { status: 400 })
        : undefined,
    )
    const store = upstash(inject('upstash'), { fetch: spy.fetch, keyLocking: true })
    await store.take([demand()])
    forgetful.now = true
    expect((await store.take([demand()]))[0]?.granted).toBe(1)
    forgetful.now = false
    await store.take([demand()])
    expect(spy.names()).toEqual(['EVAL', 'EVALSHA', 'EVAL', 'EVALSHA'])
  })

  test('several demands take one request', async () => {
    const spy = spyFetch()
    const store = upstash(inject('upstash'), { fetch: spy.fetch, keyLocking: true })
    await store.take([demand(), demand(), demand()])
    expect(spy.commands).toHaveLength(1)
  })

  test('the hashes are those by which Redis knows the scripts', async () => {
    const loaded = await redisCommand(inject('gateway'), 'SCRIPT', 'LOAD', TAKE.plain.text)
    expect(loaded).toBe(TAKE.plain.sha)
    const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(TAKE.locking.text))
    const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0'))
    expect(hex.join('')).toBe(TAKE.locking.sha)
  })
})

describe('requests', () => {
  test('are one POST with the token, no telemetry, nothing that a cache or retry could repeat', async () => {
    const requests: Request[] = []
    const { url, token } = inject('gateway')
    const store = upstash(
      { url: `${url}/`, token },
      {
        fetch: async (input, init) => {
          requests.push(new Request(input, init))
          throw new TypeError('fetch failed')
        },
      },
    )
    await expect(store.take([demand()])).rejects.toThrow('upstash: fetch failed')
    expect(requests).toHaveLength(1)
    const [sent] = requests
    expect(sent?.url).toBe(`${url}/`)
    expect(sent?.headers.get('authorization')).toBe(`Bearer ${token}`)
    expect([...(sent?.headers.keys() ?? [])].sort()).toEqual(['authorization', 'content-type'])
  })

  test('end with the signal of the caller', async () => {
    const stop = new AbortController()
    const store = upstash(inject('gateway'), {
      fetch: (_, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
        }),
    })
    const taken = store.take([demand()], { signal: stop.signal })
    stop.abort()
    await expect(taken).rejects.toMatchObject({ code: 'timeout' })
  })
})

for (const [version, Client] of [
  ['the newest', Redis],
  ['the oldest', Redis131],
] as const) {
  describe(`a client of @upstash/redis, ${version}`, () => {
    /** A client whose requests do not arrive, as far as it can tell, and how many it sent. */
    function failing() {
      const requests: RequestInit[] = []
      const own = globalThis.fetch
      globalThis.fetch = async (_, init) => {
        requests.push(init ?? {})
        await new Promise((resolve) => init?.signal?.addEventListener('abort', resolve))
        throw new TypeError('fetch failed')
      }
      const client = new Client({ url: 'https://db.upstash.io', token: 'token' })
      return { client, requests, restore: () => Object.assign(globalThis, { fetch: own }) }
    }

    test('sends a command once and ends with the signal, as by itself it would not', async () => {
      const { client, requests, restore } = failing()
      try {
        const stop = new AbortController()
        const taken = upstash(client).take([demand()], { signal: stop.signal })
        stop.abort()
        await expect(taken).rejects.toMatchObject({ code: 'timeout' })
        expect(requests).toHaveLength(1)
        expect(requests[0]?.signal?.aborted).toBe(true)
      } finally {
        restore()
      }
    })

    test('keeps its own settings for everything else', () => {
      const client = new Client({ url: 'https://db.upstash.io', token: 'token' })
      const { retry } = Object(client).client
      upstash(client)
      expect(retry.attempts).toBe(5)
    })
  })
}

describe('keys', () => {
  test('show the count and the seconds left to an operator', async () => {
    const client = `203.0.113.${Math.floor(Math.random() * 255)}`
    const store = upstash(inject('gateway'))
    await store.take([demand({ client, policy: 'login', window: 60_000 })])
    await store.take([demand({ client, policy: 'login', window: 60_000 })])
    const key = `ratelimit:login:${client}`
    expect(await redisCommand(inject('gateway'), 'GET', key)).toBe('2')
    expect(await redisCommand(inject('gateway'), 'TTL', key)).toBe(60)
    await redisCommand(inject('gateway'), 'DEL', key)
  })

  test('begin with the prefix that was asked for', async () => {
    const { client, ...rest } = demand()
    await upstash(inject('gateway'), { prefix: 'shop' }).take([{ ...rest, client }])
    expect(await redisCommand(inject('gateway'), 'GET', `shop:upstash:${client}`)).toBe('1')
  })
})

describe('what the server says', () => {
  const answering = (answer: () => Response) =>
    upstash({ url: 'https://db.upstash.io', token: 'secret' }, { fetch: async () => answer() })
  const brokenBody = () =>
    new ReadableStream({ pull: (body) => body.error(new Error('the line went dead')) })
  const said = (error: string, status = 400) =>
    answering(() => Response.json({ error }, { status }))
  const cases = [
    ['unauthorized', 'a read-only token', said("NOPERM this user can't run 'evalsha'")],
    ['unauthorized', 'does not accept this token', said('WRONGPASS invalid password')],
    ['unauthorized', 'Unauthorized', said('Unauthorized', 401)],
    ['rejected', 'max requests limit', said('ERR max requests limit exceeded')],
    ['rejected', 'OOM', said('OOM command not allowed')],
    ['unreachable', 'HTTP 502', answering(() => new Response('<html>', { status: 502 }))],
    ['unreachable', 'HTTP 308', answering(() => new Response(null, { status: 308 }))],
    ['unreachable', 'the line went dead', answering(() => new Response(brokenBody()))],
    ['unreachable', 'unexpected answer', answering(() => Response.json({ result: 'PONG' }))],
  ] as const
  for (const [code, text, store] of cases) {
    test(`"${text}" is a StoreError with code ${code}`, async () => {
      const error = await store.take([demand()]).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({ code, message: expect.stringContaining(text) })
    })
  }

  test('is told without the command that a client quotes', async () => {
    const { url } = inject('gateway')
    const store = upstash(new Redis({ url, token: 'wrong' }))
    const asked = demand()
    const error = await store.take([asked]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unauthorized' })
    expect(String(error) + String(Object(error).cause)).not.toContain(asked.client)
  })

  test('is told without the key, the client and the token that the server quotes', async () => {
    const asked = demand({ policy: 'login', client: '203.0.113.7' })
    const words = 'ERR key ratelimit:login:203.0.113.7 of "203.0.113.7" (token secret) is locked'
    for (const demands of [[asked], [asked, { ...asked, policy: 'hourly' }]]) {
      const error = await said(words)
        .take(demands)
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ message: expect.stringContaining('is locked') })
      expect(String(error) + String(Object(error).cause)).not.toMatch(/203|login|secret/)
    }
  })

  test('about a command that it does not know is told without its arguments', async () => {
    const words = "ERR unknown command 'EVALSHA', with args beginning with: '44f4' '1' 'the-key'"
    const error = await said(words)
      .take([demand()])
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'rejected' })
    expect(String(error)).not.toContain('the-key')
  })

  const strangers = {
    'no number': ['SET', 'a text'],
    'no count at all': ['RPUSH', 'a list'],
    'a fraction': ['SET', '1.5'],
    'a number to Lua alone': ['SET', ' 7'],
    'too large to count on': ['SET', '9223372036854775807'],
    'a zero below zero': ['SET', '-0'],
    'no number, in numbers': ['SET', 'nan'],
    'without an end': ['SET', '-inf'],
    'a number in other digits': ['SET', '1e5'],
    'a number with zeros in front': ['SET', '007'],
  }
  for (const [kind, [command = '', value = '']] of Object.entries(strangers)) {
    test(`about a value that is ${kind} leaves everything as it was`, async () => {
      const { client, ...rest } = demand()
      const [good, wrong] = [`${client}-good`, `${client}-wrong`]
      const key = (name: string) => `ratelimit:upstash:${name}`
      const redis = (...words: string[]) => redisCommand(inject('gateway'), ...words)
      await redis(command, key(wrong), value)
      const found = await redis('DUMP', key(wrong))
      const demands = [
        { ...rest, client: good },
        { ...rest, client: wrong },
      ]
      const store = upstash(inject('gateway'))
      for (const asked of [demands, demands.slice(1), [{ ...rest, client: wrong, cost: 0 }]]) {
        await expect(store.take(asked)).rejects.toMatchObject({ code: 'rejected' })
      }
      expect(await redis('EXISTS', key(good))).toBe(0)
      expect(await redis('DUMP', key(wrong))).toEqual(found)
      expect(await redis('PTTL', key(wrong))).toBe(-1)
      await redis('DEL', key(wrong))
    })
  }
})

describe('bad input is an error at construction that never shows the token', () => {
  test('an option beside the url, which would be ignored', () => {
    for (const option of ['prefix', 'fetch', 'batch', 'keyLocking']) {
      const source = { url: 'https://eu1-calm-1234.upstash.io', token: 'token', [option]: {} }
      const message = `${option}: expected it in the second argument, got it beside the url`
      expect(() => upstash(source)).toThrow(message)
    }
  })

  const url = 'https://db.upstash.io'
  const token = 'secret-token'
  const cases: readonly (readonly [RegExp, unknown, object?])[] = [
    [/^upstash: expected .+, got nothing/, undefined],
    [/^url: expected .+, got nothing/, { token }],
    [/^url: expected .+, got ""/, { url: '', token }],
    [/^url: expected .+, got a string with spaces or quotes/, { url: ` ${url}`, token }],
    [/^url: expected .+, got a string with spaces or quotes/, { url: `"${url}"`, token }],
    [
      /^url: expected .+, got a URL for TCP/,
      { url: 'rediss://default:secret-token@db:6379', token },
    ],
    [/^url: expected .+, got a string that is not an HTTP URL/, { url: 'db.upstash.io', token }],
    [/^token: expected .+, got nothing/, { url }],
    [/^token: expected .+, got ""/, { url, token: '' }],
    [/^token: expected .+, got a string with spaces or quotes/, { url, token: `${token}\n` }],
    [/^token: expected .+, got a string with spaces or quotes/, { url, token: `'${token}'` }],
    [/^token: expected .+, got a string that no header can carry/, { url, token: `${token}…` }],
    [/^prefix: expected .+, got ""/, { url, token }, { prefix: '' }],
    [/^prefix: expected .+, got "a b"/, { url, token }, { prefix: 'a b' }],
  ]
  for (const [index, [message, source, options]] of cases.entries()) {
    test(`${message} (${index + 1})`, () => {
      const make = () => upstash(source as never, options)
      expect(make).toThrow(message)
      expect(make).not.toThrow('secret-token')
    })
  }
})
