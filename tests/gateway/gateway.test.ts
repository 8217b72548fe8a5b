import { Redis } from '@upstash/redis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { startGateway } from '../support/gateway-server.ts'

const gateway = await startGateway(inject('redisUrl'))
const { url, token } = gateway
const client = (options = {}) =>
  new Redis({ url, token, retry: { retries: 0 }, enableTelemetry: false, ...options })
const redis = client()
const prefix = `gateway-${crypto.randomUUID()}`
const key = `${prefix}-1`
const other = `${prefix}-2`
afterAll(async () => {
  const keys = await gateway.redis.keys(`${prefix}-*`)
  if (keys.length > 0) await gateway.redis.del(keys)
  await gateway.stop()
})

type Headers = Record<string, string>

const post = (path: string, body: unknown, headers: Headers = {}, method = 'POST') =>
  fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  } as RequestInit)

const get = (path: string, headers: Headers = {}, method = 'GET') =>
  fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers } })

describe('the gateway gives the client of Upstash', () => {
  test('texts of any script, numbers, nulls, lists', async () => {
    expect(await redis.set(key, 'zwölf Fährten 🐾')).toBe('OK')
    expect(await redis.get(key)).toBe('zwölf Fährten 🐾')
    expect(await redis.get(`${key}-none`)).toBeNull()
    expect(await redis.incrby(`${key}-n`, 41)).toBe(41)
    const nested = await redis.eval('return {1, "two", {3, false, {"four", {}}}, "OK"}', [], [])
    expect(nested).toEqual([1, 'two', [3, null, ['four', []]], 'OK'])
  })

  test('lists, hashes and sorted sets in the shapes that it expects', async () => {
    await redis.mset({ [key]: 'OK', [other]: 'second' })
    expect(await redis.mget(key, other, `${key}-none`)).toEqual(['OK', 'second', null])
    await redis.hset(`${key}-h`, { a: 1, b: 'two' })
    expect(await redis.hgetall(`${key}-h`)).toEqual({ a: 1, b: 'two' })
    await redis.zadd(`${key}-z`, { score: 1.5, member: 'x' }, { score: 2, member: 'y' })
    expect(await redis.zrange(`${key}-z`, 0, -1, { withScores: true })).toEqual(['x', 1.5, 'y', 2])
    expect(await redis.zscore(`${key}-z`, 'x')).toBe(1.5)
    const [, found] = await redis.scan(0, { match: `${key}-h`, count: 10_000 })
    expect(found).toEqual([`${key}-h`])
  })

  test('integers larger than 2^53, every digit of them', async () => {
    const large = '9007199254740993'
    await redis.set(key, large)
    expect(await redis.get(key)).toBe(large)
    const set = await post('/', `["SET", "${key}", 9223372036854775806, "XX"]`)
    expect(await set.json()).toEqual({ result: 'OK' })
    expect(await gateway.redis.get(key)).toBe('9223372036854775806')
    expect(await (await post('/', ['INCR', key])).text()).toBe('{"result":9223372036854775807}')
    const both = await post(
      '/multi-exec',
      `[["DECRBY","${key}",9007199254740993],["GET","${key}"]]`,
    )
    expect(await both.text()).toBe(
      '[{"result":9214364837600034814},{"result":"9214364837600034814"}]',
    )
  })

  test('numbers as they were written, beside texts that look like numbers', async () => {
    await post('/', `["MSET","${key}",0.10,"${other}","a \\"1.50\\" 99999999999999999999"]`)
    expect(await gateway.redis.get(key)).toBe('0.10')
    expect(await gateway.redis.get(other)).toBe('a "1.50" 99999999999999999999')
  })

  test('values of a megabyte, unchanged', async () => {
    const value = 'ä"\\\n🐾'.repeat(2 ** 20 / 9)
    await redis.set(key, value)
    expect(await redis.get(key)).toBe(value)
    expect(await client({ responseEncoding: false }).get(key)).toBe(value)
    await post('/', `["MSET","${key}",${JSON.stringify(value)},"${other}",0.5]`)
    expect(await gateway.redis.get(key)).toBe(value)
  })

  test('any bytes, which go in as a body and come out in base64', async () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, index) => index)
    expect(await (await post(`/set/${key}`, bytes)).json()).toEqual({ result: 'OK' })
    const { result } = await (await get(`/get/${key}`, { 'upstash-encoding': 'base64' })).json()
    expect([...Buffer.from(result, 'base64')]).toEqual([...bytes])
    expect((await gateway.redis.getBuffer(key))?.equals(bytes)).toBe(true)
    expect((await (await get(`/get/${key}`)).json()).result).toContain('\ufffd')
  })

  test('a pipeline, of which one command fails and the others do not', async () => {
    const pipeline = redis.pipeline().set(key, 'text').incr(key).get(key)
    await expect(pipeline.exec()).rejects.toThrow('not an integer')
    const replies = await redis
      .pipeline()
      .set(key, 'text')
      .incr(key)
      .get(key)
      .exec({ keepErrors: true })
    expect(replies.map(({ result }) => result)).toEqual(['OK', undefined, 'text'])
    expect(replies[1]?.error).toContain('ERR value is not an integer')
  })

  test('a transaction, of which a command that fails undoes none', async () => {
    const replies = await post('/multi-exec', [
      ['SET', key, 'text'],
      ['INCR', key],
      ['GET', key],
    ])
    expect(replies.status).toBe(200)
    expect(await replies.json()).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { result: 'text' },
    ])
    expect(await redis.multi().set(key, 1).incr(key).mget(key, key).exec()).toEqual([
      'OK',
      2,
      [2, 2],
    ])
  })

  test('no part of a transaction that holds a command which cannot be queued', async () => {
    await redis.set(key, 1)
    for (const [command, words] of [
      [['INCR'], 'EXECABORT'],
      [['MULTI'], "ERR Command is not available: 'MULTI'"],
      [['GET', null], 'ERR null args are not supported'],
    ] as const) {
      const broken = await post('/multi-exec', [['INCR', key], command, ['INCR', key]])
      expect(broken.status).toBe(400)
      expect(await broken.json()).toMatchObject({ error: expect.stringContaining(words) })
    }
    expect(await redis.get(key)).toBe(1)
  })

  test('a transaction that nobody comes between', async () => {
    let running = true
    const disturb = async () => {
      while (running) {
        await Promise.all([
          gateway.redis.set(key, 'x'),
          redis.set(key, 'y'),
          redis.pipeline().set(key, 'z').exec(),
        ])
      }
    }
    const disturbing = [disturb(), disturb()]
    const mine = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const gets = Array.from({ length: 20 }, () => ['GET', key])
        const response = await post('/multi-exec', [['SET', key, `mine-${index}`], ...gets])
        const [, ...values] = (await response.json()) as { result: string }[]
        return values.every(({ result }) => result === `mine-${index}`)
      }),
    )
    running = false
    await Promise.all(disturbing)
    expect(mine).toEqual(Array(100).fill(true))
  })

  test('its own answers, when twenty ask at once', async () => {
    const counter = `${key}-counter`
    const own = async (_: unknown, who: number) => {
      const mine = client()
      for (let turn = 0; turn < 20; turn++) {
        await mine.set(`${key}-${who}`, `${who}/${turn}`)
        const [, read] = await Promise.all([mine.incr(counter), mine.get(`${key}-${who}`)])
        if (read !== `${who}/${turn}`) return `${who} read ${read}`
      }
      return 'right'
    }
    const answers = await Promise.all(Array.from({ length: 20 }, own))
    expect(answers).toEqual(Array(20).fill('right'))
    expect(await redis.get(counter)).toBe(400)
  })

  test('what it pipelines by itself', async () => {
    const auto = client({ enableAutoPipelining: true })
    const before = gateway.seen.requests
    expect(await Promise.all([auto.set(key, 7), auto.set(other, 'b')])).toEqual(['OK', 'OK'])
    expect(await Promise.all([auto.get(key), auto.get(other), auto.exists(key)])).toEqual([
      7,
      'b',
      1,
    ])
    expect(gateway.seen.requests - before).toBe(2)
  })

  test('a script by its hash, once it was sent', async () => {
    const script = redis.createScript<number>('return tonumber(ARGV[1]) + 1')
    expect(await script.exec([], ['1'])).toBe(2)
    expect(await script.exec([], ['2'])).toBe(3)
  })
})

describe('the gateway takes', () => {
  test('a command as a path, by every method, with its options in the query', async () => {
    expect(await (await get(`/set/${key}/a%20b%2Fc?EX=100`)).json()).toEqual({ result: 'OK' })
    expect(await (await get(`/GET/${key}`)).json()).toEqual({ result: 'a b/c' })
    expect(await gateway.redis.ttl(key)).toBeGreaterThan(90)
    await post(`/set/${key}?EX=50&NX`, 'not set')
    expect(await (await get(`/get/${key}?_token=${token}`, { authorization: '' })).status).toBe(401)
    await post(`/set/${key}?EX=50`, '{"json": 1}', {}, 'PUT')
    expect(await gateway.redis.get(key)).toBe('{"json": 1}')
    const head = await get(`/del/${key}`, {}, 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(await gateway.redis.exists(key)).toBe(0)
    expect(await (await post('/ping', '')).json()).toEqual({ result: 'PONG' })
  })

  test('the token in the query, where no header holds one', async () => {
    const ping = (query: string) => fetch(`${url}/ping?${query}`).then(({ status }) => status)
    expect(await ping(`_token=${token}`)).toBe(200)
    expect(await ping(`_token=${token}x`)).toBe(401)
    expect(await (await fetch(`${url}/echo/x?_token=${token}`)).json()).toEqual({ result: 'x' })
  })

  test('a wish for base64: all texts but OK', async () => {
    const encoding = { 'upstash-encoding': 'base64' }
    const set = await post('/', ['SET', key, 'binary \u0000 text'], encoding)
    expect(await set.json()).toEqual({ result: 'OK' })
    const replies = await post('/pipeline', [['GET', key], ['STRLEN', key], ['NOPE']], encoding)
    expect(await replies.json()).toEqual([
      { result: btoa('binary \u0000 text') },
      { result: 13 },
      { error: expect.stringContaining('ERR unknown command') },
    ])
  })

  test('a wish for RESP2, but not together with base64 or for another format', async () => {
    const resp2 = { 'upstash-response-format': 'resp2' }
    const raw = async (response: Response) => [
      response.status,
      response.headers.get('content-type'),
      await response.text(),
    ]
    const binary = 'application/octet-stream'
    expect(await raw(await get(`/set/${key}/bär`, resp2))).toEqual([200, binary, '+OK\r\n'])
    expect(await raw(await get(`/get/${key}`, resp2))).toEqual([200, binary, '$4\r\nbär\r\n'])
    expect(await raw(await post('/', ['EVAL', 'return {1,{false,"x"}}', 0], resp2))).toEqual([
      200,
      binary,
      '*2\r\n:1\r\n*2\r\n$-1\r\n$1\r\nx\r\n',
    ])
    expect(await raw(await post('/', ['INCR', key], resp2))).toEqual([
      400,
      binary,
      '-ERR value is not an integer or out of range\r\n',
    ])
    const both = await post(
      '/pipeline',
      [
        ['DEL', key],
        ['GET', key],
      ],
      resp2,
    )
    expect(await raw(both)).toEqual([200, binary, ':1\r\n$-1\r\n'])
    for (const headers of [
      { ...resp2, 'upstash-encoding': 'base64' },
      { 'upstash-response-format': 'resp3' },
    ]) {
      expect((await post('/', ['PING'], headers)).status).toBe(400)
    }
    expect(await (await post('/multi-exec', [['PING']], resp2)).json()).toEqual([
      { result: 'PONG' },
    ])
  })

  test('a sync token, and answers with one that is never the same', async () => {
    const tokens: (string | null)[] = []
    let sent = ''
    for (const [path, body] of [
      ['/', ['PING']],
      ['/', ['SET', key, 1]],
      ['/', ['NO-SUCH-COMMAND']],
      ['/', '{'],
      ['/pipeline', [['PING']]],
      ['/multi-exec', [['PING']]],
      ['/multi-exec', [['NO-SUCH-COMMAND']]],
      ['/ping', ''],
    ] as const) {
      const { headers } = await post(path, body, { 'upstash-sync-token': sent })
      sent = headers.get('upstash-sync-token') ?? ''
      expect(sent).not.toBe('')
      tokens.push(sent)
    }
    expect(new Set(tokens).size).toBe(tokens.length)
  })

  test('a token that its own client sees change with each call', async () => {
    const seen: (string | undefined)[] = [redis.readYourWritesSyncToken]
    for (const call of [
      () => redis.set(key, 'value'),
      () => redis.set(key, 'value'),
      () => redis.pipeline().set(key, 1).set(other, 2).exec(),
      () => redis.createScript("return redis.call('SET', KEYS[1], 'x')").exec([key], []),
    ]) {
      await call()
      seen.push(redis.readYourWritesSyncToken)
    }
    expect(new Set(seen).size).toBe(5)
  })
})

test('what goes wrong in Redis or in the request has status 400 and the words of Upstash', async () => {
  for (const [path, body, words] of [
    ['/', ['EVALSHA', 'f'.repeat(40), '0'], 'NOSCRIPT'],
    ['/', ['NO-SUCH-COMMAND'], 'ERR unknown command'],
    ['/', ['GET'], "ERR wrong number of arguments for 'get' command"],
    ['/', ['EVAL', '#!lua flags=no-such-flag\nreturn 1', '0'], 'Unexpected flag in script'],
    ['/', [], 'ERR failed to parse command'],
    ['/', '{', 'ERR failed to parse command'],
    ['/', '', 'ERR failed to parse command'],
    ['/', '["SET", 01]', 'ERR failed to parse command'],
    ['/', [{ not: 'a command' }], 'ERR unsupported arg type'],
    ['/', ['SET', key, null], 'ERR null args are not supported'],
    ['/pipeline', '', 'ERR failed to parse pipeline request'],
    ['/pipeline', ['GET', key], 'ERR failed to parse pipeline request'],
    ['/pipeline', [], 'ERR empty pipeline request'],
    ['/multi-exec', 'x', 'ERR failed to parse multi-exec request'],
    ['/multi-exec', [], 'ERR empty multi-exec request'],
    ['/elsewhere', '', 'ERR unknown command'],
  ] as const) {
    const response = await post(path, body)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.stringContaining(words) })
  }
})
