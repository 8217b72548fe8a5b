import { Redis } from '@upstash/redis'
import { afterAll, describe, expect, inject, test } from 'vitest'

const { url, token } = inject('gateway')
const redis = new Redis({ url, token, retry: { retries: 0 }, enableTelemetry: false })
const key = `gateway-${crypto.randomUUID()}`
afterAll(() => redis.del(key, `${key}-2`))

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('the gateway speaks as Upstash does', () => {
  test('to its client: texts of any script, numbers, nulls, lists', async () => {
    expect(await redis.set(key, 'zwölf Fährten 🐾')).toBe('OK')
    expect(await redis.get(key)).toBe('zwölf Fährten 🐾')
    expect(await redis.get(`${key}-none`)).toBeNull()
    expect(await redis.eval('return {1, "two", {3, false}}', [], [])).toEqual([1, 'two', [3, null]])
    expect(await redis.incrby(`${key}-2`, 41)).toBe(41)
  })

  test('in a pipeline, of which one command fails and the others do not', async () => {
    const commands = [
      ['SET', key, 'text'],
      ['INCR', key],
      ['GET', key],
    ]
    const response = await post('/pipeline', commands)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { result: 'text' },
    ])
  })

  test('in a transaction, which is discarded whole if a command cannot be queued', async () => {
    await redis.set(key, 1)
    const whole = await post('/multi-exec', [
      ['INCR', key],
      ['INCR', key],
    ])
    expect(await whole.json()).toEqual([{ result: 2 }, { result: 3 }])
    const broken = await post('/multi-exec', [['INCR', key], ['INCR']])
    expect(broken.status).toBe(400)
    expect(await broken.json()).toMatchObject({ error: expect.stringContaining('EXECABORT') })
    expect(await redis.get(key)).toBe(3)
  })

  test('in base64 when asked, all texts but OK', async () => {
    const encoding = { 'upstash-encoding': 'base64' }
    const set = await post('/', ['SET', key, 'binary \u0000 text'], encoding)
    expect(await set.json()).toEqual({ result: 'OK' })
    const got = await post('/', ['GET', key], encoding)
    expect(await got.json()).toEqual({ result: btoa('binary \u0000 text') })
  })

  test('of what went wrong, with status 400 and the words of Redis', async () => {
    for (const [command, words] of [
      [['EVALSHA', 'f'.repeat(40), '0'], 'NOSCRIPT'],
      [['NO-SUCH-COMMAND'], 'ERR unknown command'],
      [
        ['EVAL', '#!lua flags=allow-key-locking\nreturn 1', '0'],
        'Unexpected flag in script shebang',
      ],
      [['MULTI'], 'ERR MULTI is not available over REST'],
      [['subscribe', 'x'], 'ERR subscribe is not available over REST'],
      [[], 'ERR failed to parse command'],
      ['{', 'ERR failed to parse command'],
      [[{ not: 'a command' }], 'ERR failed to parse command'],
    ] as const) {
      const response = await post('/', command)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: expect.stringContaining(words) })
    }
  })

  test('to nobody without the token, on any route', async () => {
    for (const path of ['/', '/pipeline', '/multi-exec', '/anything']) {
      for (const authorization of [
        '',
        'Bearer',
        'Bearer wrong',
        `Basic ${token}`,
        `Bearer ${token}x`,
      ]) {
        const response = await post(path, ['PING'], { authorization })
        expect(response.status).toBe(401)
        expect(await response.json()).toEqual({ error: 'Unauthorized' })
      }
    }
  })

  test('on no other path and by no other method', async () => {
    const headers = { authorization: `Bearer ${token}` }
    expect((await post('/elsewhere', ['PING'])).status).toBe(405)
    expect((await fetch(url, { headers })).status).toBe(405)
  })
})
