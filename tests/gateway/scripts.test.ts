import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { Redis as Client } from '@upstash/redis'
import { afterAll, describe, expect, test } from 'vitest'
import { redisBackend } from '../../src/gateway/backend.ts'
import { startGateway } from '../support/gateway-server.ts'
import { listenLocally } from '../support/listen.ts'
import { spawnRedis } from '../support/redis-server.ts'

const server = await spawnRedis()
const gateway = await startGateway(server.url)
const { redis, url, token } = gateway
const client = new Client({ url, token, enableTelemetry: false, retry: { retries: 0 } })
afterAll(async () => {
  await gateway.stop()
  await server.stop()
})

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

/** A script with the header of Upstash that no other test uses. */
const fresh = (body = 'return {KEYS[1], ARGV[1]}') =>
  `#!lua flags=allow-key-locking\n${body} --${crypto.randomUUID()}`

async function send(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return response.json()
}

const RESULT = { result: ['key', 'arg'] }
const NOSCRIPT = { error: expect.stringMatching(/^NOSCRIPT/) }

describe('a script with the header that locks keys runs on a Redis that does not know it', () => {
  test('as a text, and from then on by the hash of that text', async () => {
    for (const name of ['EVAL', 'EVAL_RO', 'eval']) {
      const script = fresh()
      expect(await send('/', [`${name}SHA`, sha1(script), 1, 'key', 'arg'])).not.toEqual(RESULT)
      expect(await send('/', [name, script, 1, 'key', 'arg'])).toEqual(RESULT)
      for (const by of ['EVALSHA', 'evalsha', 'EVALSHA_RO']) {
        expect(await send('/', [by, sha1(script), 1, 'key', 'arg'])).toEqual(RESULT)
        expect(await send('/', [by, sha1(script).toUpperCase(), 1, 'key', 'arg'])).toEqual(RESULT)
      }
    }
  })

  test('loaded by the client of Upstash, which gets the hash of what it sent', async () => {
    const script = fresh()
    expect(await client.scriptExists(sha1(script))).toEqual([0])
    expect(await client.scriptLoad(script)).toBe(sha1(script))
    expect(await client.scriptExists(sha1(script), sha1('none'))).toEqual([1, 0])
    expect(await client.evalsha(sha1(script), ['key'], ['arg'])).toEqual(['key', 'arg'])
  })

  test('in a pipeline, in a transaction, and as a path, in their order', async () => {
    const [one, two] = [fresh(), fresh()]
    const commands = [
      ['EVAL', one, 1, 'key', 'arg'],
      ['EVALSHA', sha1(one), 1, 'key', 'arg'],
      ['SCRIPT', 'LOAD', two],
      ['script', 'exists', sha1(two), sha1(one), sha1('none')],
      ['EVALSHA', sha1(two), 1, 'key', 'arg'],
      ['EVALSHA', sha1('none'), 1, 'key', 'arg'],
    ]
    const replies = [RESULT, RESULT, { result: sha1(two) }, { result: [1, 1, 0] }, RESULT, NOSCRIPT]
    expect(await send('/pipeline', commands)).toEqual(replies)
    await redis.script('FLUSH')
    expect(await send('/multi-exec', commands)).toEqual(replies)

    const three = fresh()
    const path = (text: string) => `/${text}/1/key/arg`
    expect(await send(path(`eval/${encodeURIComponent(three)}`))).toEqual(RESULT)
    expect(await send(path(`evalsha/${sha1(three)}`))).toEqual(RESULT)
    expect(await send(`/script/load/${encodeURIComponent(two)}`)).toEqual({ result: sha1(two) })
  })

  test('with the answers in base64 and RESP2', async () => {
    const script = fresh()
    const encoding = { 'upstash-encoding': 'base64' }
    const loaded = await send('/', ['SCRIPT', 'LOAD', script], encoding)
    expect(loaded).toEqual({ result: btoa(sha1(script)) })
    const run = await send('/', ['EVALSHA', sha1(script), 1, 'key', 'arg'], encoding)
    expect(run).toEqual({ result: [btoa('key'), btoa('arg')] })
    const raw = await fetch(`${url}/script/load/${encodeURIComponent(fresh())}`, {
      headers: { authorization: `Bearer ${token}`, 'upstash-response-format': 'resp2' },
    })
    expect(await raw.text()).toMatch(/^\$40\r\n[\da-f]{40}\r\n$/)
  })

  test('and without the header it is the script that others send without it', async () => {
    const plain = `return 1 --${crypto.randomUUID()}`
    await send('/', ['EVAL', `#!lua flags=allow-key-locking\n${plain}`, 0])
    expect(await redis.script('EXISTS', sha1(plain))).toEqual([1])
  })

  test('with other flags, which stay', async () => {
    for (const header of [
      '#!lua flags=no-writes,allow-key-locking',
      '#!lua flags=allow-key-locking,no-writes',
      '#!lua  flags=allow-key-locking flags=no-writes',
      '#!lua flags=no-writes,allow-key-locking\r',
    ]) {
      const script = `${header}\nreturn redis.call(ARGV[1], KEYS[1], 'x')`
      const { error } = (await send('/', ['EVAL', script, 1, 'key', 'SET'])) as { error: string }
      expect(error).toContain('Write commands are not allowed from read-only scripts')
    }
  })

  test('whatever bytes it holds', async () => {
    const script = `${fresh("return 'zwölf 🐾'")}`
    expect(await send('/', ['EVAL', script, 0])).toEqual({ result: 'zwölf 🐾' })
    expect(await send('/', ['EVALSHA', sha1(script), 0])).toEqual({ result: 'zwölf 🐾' })
    const bytes = '%23!lua flags=allow-key-locking%0Areturn %27%FF%00%27'
    const base64 = { 'upstash-encoding': 'base64' }
    expect(await send(`/eval/${bytes}/0`, undefined, base64)).toEqual({ result: '/wA=' })
  })
})

describe('the flag is read as Redis reads its own flags, and taken off where it would be read', () => {
  /** A header with a flag. */
  const spellings: readonly ((flag: string) => string)[] = [
    (flag) => `#!lua flags=${flag}`,
    (flag) => `#!lua flags="${flag}"`,
    (flag) => `#!lua "flags=${flag}"`,
    (flag) => `#!lua 'flags=${flag}'`,
    (flag) => `#!lua flags='${flag}'`,
    (flag) => `#!lua "flags=${flag}" flags="${flag}"`,
    (flag) => `#!lua flags=${flag},"${flag}"`,
    (flag) => `#!lua flags="allow-oom,${flag}"`,
    (flag) => `#!lua flags= flags=${flag}`,
    (flag) => `#!lua "flags=\\x${flag.charCodeAt(0).toString(16)}${flag.slice(1)}"`,
    (flag) => `#!lua "flags=${flag.replace('-', '\\-')}"`,
    (flag) => `#!"lua" flags=${flag}`,
    (flag) => `#!lua \t\v\fflags=${flag} \r`,
    (flag) => `#!lua flags="${flag}",allow-oom`,
    (flag) => `#!lua flags="${flag}`,
    (flag) => `#!lua flags='${flag}\\'`,
    (flag) => `#!lua 'flags=\\x${flag.charCodeAt(0).toString(16)}${flag.slice(1)}'`,
    (flag) => `#!lua "flags=${flag}\\n"`,
    (flag) => `#!lua "flags=allow-oom, ${flag}"`,
    (flag) => `#!lua "flags=${flag} flags=allow-oom"`,
    (flag) => `#!lua flags=${flag},`,
    (flag) => `#!lua flags=${flag} ""`,
    (flag) => `#!lua flags=${flag} other=1`,
    (flag) => `#!lua\u00a0flags=${flag}`,
    (flag) => `#!lua flags=${flag}\u00a0`,
    (flag) => `#!lua flags=${flag}\0`,
    (flag) => `#!lua flag=${flag}`,
    (flag) => `#!lua FLAGS=${flag}`,
    (flag) => `#!LUA flags=${flag}`,
    (flag) => `"#!lua" flags=${flag}`,
    (flag) => ` #!lua flags=${flag}`,
  ]
  for (const spell of spellings) {
    test(JSON.stringify(spell('…')), async () => {
      const outcome = async (flag: string) => {
        const script = `${spell(flag)}\nreturn 'ran' --${crypto.randomUUID()}`
        const ran = 'result' in (await send('/', ['EVAL', script, 0]))
        expect('result' in (await send('/', ['EVALSHA', sha1(script), 0]))).toBe(ran)
        return ran
      }
      expect(await outcome('allow-key-locking')).toBe(await outcome('no-writes'))
    })
  }

  test('so that what others send with it in quotes, runs', async () => {
    for (const header of ['flags="allow-key-locking"', '"flags=allow-key-locking"']) {
      const script = `#!lua ${header}\nreturn 'ran'`
      expect(await send('/', ['EVAL', script, 0])).toEqual({ result: 'ran' })
      expect(await client.scriptLoad(script)).toBe(sha1(script))
    }
  })
})

test('nothing but that flag in a first line is touched, in no other command either', async () => {
  for (const text of [
    '#!lua flags=allow-key-lockings\nreturn 1',
    '#!lua flags=allow-key-locking',
    '\n#!lua flags=allow-key-locking\nreturn 1',
    '#!luau flags=allow-key-locking\nreturn 1',
  ]) {
    const { error } = (await send('/', ['EVAL', text, 0])) as { error: string }
    expect(error).toMatch(/shebang|compiling script/)
  }
  const script = fresh('return {KEYS[1], ARGV[1]}')
  await send('/', ['EVAL', script, 1, 'key', 'arg'])
  await send('/', ['SET', 'text', script])
  expect(await redis.get('text')).toBe(script)
  const [hash, twice] = [sha1(script), 'return ARGV[1]']
  expect(await send('/', ['EVAL', twice, 0, script])).toEqual({ result: script })
  expect(await send('/', ['EVALSHA', sha1(twice), 0, hash])).toEqual({ result: hash })
})

test('a hash that nobody taught is NOSCRIPT, as is one that Redis forgot, until the text comes again', async () => {
  const script = fresh()
  const bySha = ['EVALSHA', sha1(script), 1, 'key', 'arg']
  expect(await send('/', bySha)).toEqual(NOSCRIPT)
  await send('/', ['EVAL', script, 1, 'key', 'arg'])
  await redis.script('FLUSH')
  expect(await send('/', bySha)).toEqual(NOSCRIPT)
  expect(await client.createScript<string[]>(script).exec(['key'], ['arg'])).toEqual(['key', 'arg'])
  expect(await send('/', bySha)).toEqual(RESULT)
})

test('a thousand scripts at most are known by their hashes, those in use the longest', async () => {
  const [used, unused] = [fresh(), fresh()]
  const bySha = (script: string) => ['EVALSHA', sha1(script), 1, 'key', 'arg']
  await send(
    '/pipeline',
    [used, unused].map((text) => ['EVAL', text, 1, 'key', 'arg']),
  )
  for (let turn = 0; turn < 2; turn++) {
    await send(
      '/pipeline',
      Array.from({ length: 500 }, () => ['SCRIPT', 'LOAD', fresh()]),
    )
    expect(await send('/', bySha(used))).toEqual(RESULT)
  }
  expect(await send('/', bySha(unused))).toEqual(NOSCRIPT)
})

/** A Redis that runs every script, and records the commands. */
async function redisThatKnowsTheFlag() {
  const seen: string[][] = []
  const sockets = new Set<{ destroy(): void }>()
  const fake = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (data) => {
      for (const command of `${data}`.split(/^\*\d+\r\n/m).slice(1)) {
        const parts = command.split(/\$\d+\r\n/).slice(1)
        const words = parts.map((part) => part.slice(0, -2))
        seen.push(words)
        socket.write(words[0] === 'info' ? '$9\r\nloading:0\r\n' : ':1\r\n')
      }
    })
  })
  const port = await listenLocally(fake)
  return {
    url: `redis://127.0.0.1:${port}`,
    seen,
    stop() {
      for (const socket of sockets) socket.destroy()
      fake.close()
    },
  }
}

test('a Redis that knows the flag gets what the client sent', async () => {
  const fake = await redisThatKnowsTheFlag()
  const backend = redisBackend(fake.url)
  try {
    await expect.poll(() => fake.seen.some(([name]) => name === 'EVAL')).toBe(true)
    await backend.call(['GET', 'a round trip later'])
    const script = fresh()
    await backend.call(['EVAL', script, '0'])
    await backend.call(['EVALSHA', sha1(script), '0'])
    expect(fake.seen.slice(-2)).toEqual([
      ['EVAL', script, '0'],
      ['EVALSHA', sha1(script), '0'],
    ])
  } finally {
    await backend.stop()
    fake.stop()
  }
})
