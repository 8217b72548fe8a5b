import { createServer, type Socket } from 'node:net'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { redisBackend } from '../../src/gateway/backend.ts'
import { startGateway } from '../support/gateway-server.ts'
import { listenLocally } from '../support/listen.ts'

const gateway = await startGateway(inject('redisUrl'), { allow: ['mset'] })
const prefix = `large-${crypto.randomUUID()}`
const [key, other] = [`${prefix}-1`, `${prefix}-2`]
const megabyte = 'x'.repeat(2 ** 20)
await gateway.redis.set(`${prefix}-mb`, megabyte)
afterAll(async () => {
  await gateway.redis.del(key, other, `${prefix}-mb`)
  await gateway.stop()
})

async function send(path: string, body: unknown) {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.token}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return [response.status, await response.json()] as const
}

describe('a request of a hundred thousand arguments, names counted', () => {
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `none-${index}`)
  const among = (count: number) => [
    ['SET', key, '1'],
    ['DEL', ...keys(count)],
    ['SET', other, '1'],
  ]

  test('runs, as one command and as several', async () => {
    expect(await send('/', ['DEL', ...keys(99_999)])).toEqual([200, { result: 0 }])
    const replies = [{ result: 'OK' }, { result: 0 }, { result: 'OK' }]
    for (const path of ['/pipeline', '/multi-exec']) {
      expect(await send(path, among(99_993))).toEqual([200, replies])
    }
  })

  test('and one more is refused', async () => {
    const error = 'ERR max arguments exceeded. Limit: 100000'
    await gateway.redis.set(key, '2')
    expect(await send('/', ['DEL', ...keys(100_000)])).toEqual([400, { error }])
    for (const path of ['/pipeline', '/multi-exec']) {
      expect(await send(path, among(99_994))).toEqual([400, { error }])
    }
    expect(await gateway.redis.get(key)).toBe('2')
  })
})

test('a text of millions of escapes stands beside a number that a double may not carry', async () => {
  const text = '\\n'.repeat(4_000_000)
  expect(await send('/', `["MSET","${key}","${text}1.50","${other}",1.50]`)).toEqual([
    200,
    { result: 'OK' },
  ])
  expect(await gateway.redis.strlen(key)).toBe(4_000_004)
  expect(await gateway.redis.get(other)).toBe('1.50')
})

describe('8 MB of JSON cost at most ten times what a SET of that size costs:', () => {
  const SIZE = 8 * 2 ** 20
  const deep = (open: string, close: string) => {
    const levels = SIZE / (open.length + close.length)
    return `${open.repeat(levels)}${close.repeat(levels)}`
  }
  /** The reply to a request, and the CPU time that it took, in ms. */
  async function measured(path: string, body: string) {
    const before = process.cpuUsage()
    const reply = await send(path, body)
    const { user, system } = process.cpuUsage(before)
    return { reply, work: (user + system) / 1000 }
  }
  const workOfSet = async () =>
    (await measured('/', JSON.stringify(['SET', key, 'x'.repeat(SIZE)]))).work
  const wide = (item: string) => `[${`${item},`.repeat(SIZE / (item.length + 1))}${item}]`

  for (const [what, body] of Object.entries({
    'lists in lists': deep('[', ']'),
    'lists in lists, for an argument': `["SET","${key}",0.5,${deep('[', ']')}]`,
    'lists in lists, for an argument of a pipeline': `[["SET","${key}",0.5,${deep('[', ']')}]]`,
    'lists that do not end': '['.repeat(SIZE),
    'lists a thousand deep, one after the other': wide('['.repeat(1000) + ']'.repeat(1000)),
    'numbers that a double may not carry': wide('0.5'),
    'small numbers, a million of them': `["DEL"${',1234567'.repeat(999_000)}]`,
  })) {
    test(`${what}, which are refused`, async () => {
      const one = await workOfSet()
      for (const path of ['/', '/pipeline', '/multi-exec']) {
        const { reply, work } = await measured(path, body)
        const [status, { error }] = reply
        expect(status).toBe(400)
        expect(error).toMatch(/^ERR (failed to parse|unsupported arg type|max .* exceeded)/)
        expect(work / one, 'work, as a multiple of one SET of that size').toBeLessThan(5)
      }
    })
  }

  const MOST = 100_000 - 1
  for (const [what, args] of Object.entries({
    texts: `"${'x'.repeat(SIZE / MOST - 3)}",`.repeat(MOST),
    numbers: `${'1'.repeat(SIZE / MOST - 1)},`.repeat(MOST),
    'a long text and numbers that a double may not carry': `"${'x'.repeat(SIZE - 4 * MOST)}",${'0.5,'.repeat(MOST - 1)}`,
  })) {
    test(`${what}, as many as may be`, async () => {
      const one = await workOfSet()
      const { reply, work } = await measured('/', `["DEL",${args.slice(0, -1)}]`)
      expect(reply).toEqual([200, { result: 0 }])
      expect(work / one, 'work, as a multiple of one SET of that size').toBeLessThan(10)
    })
  }
})

describe('replies of more than 32 MB', () => {
  const over = { error: 'ERR max response size exceeded. Limit: 33554432 bytes' }
  const get = ['GET', `${prefix}-mb`]

  test('are an error, of a single command', async () => {
    await gateway.redis.setrange(key, 33 * 2 ** 20, 'x')
    expect(await send('/', ['GET', key])).toEqual([400, over])
    const lists = `local t = {} for i = 1, 33 do t[i] = redis.call('GET', KEYS[1]) end return t`
    expect(await send('/', ['EVAL', lists, '1', `${prefix}-mb`])).toEqual([400, over])
  })

  test('end a pipeline, of which each command says whether it ran', async () => {
    await gateway.redis.set(key, 0)
    const commands = [...Array(99).fill(get), ['INCR', key], ...Array(199).fill(get), ['INCR', key]]
    const [status, replies] = await send('/pipeline', commands)
    expect(status).toBe(200)
    expect(replies).toEqual([
      ...Array(31).fill({ result: megabyte }),
      ...Array(69).fill(over),
      ...Array(200).fill({
        error: expect.stringMatching(/^ERR the command was not run: max resp/),
      }),
    ])
    expect(await gateway.redis.get(key)).toBe('1')
  })

  test('are errors in the answer to a transaction, all of which ran', async () => {
    await gateway.redis.set(key, 0)
    const [status, replies] = await send('/multi-exec', [...Array(40).fill(get), ['INCR', key]])
    expect(status).toBe(200)
    expect(replies).toEqual([...Array(31).fill({ result: megabyte }), ...Array(10).fill(over)])
    expect(await gateway.redis.get(key)).toBe('1')
  })
})

test('a pipeline of hundreds is answered in its order', async () => {
  const commands = Array.from({ length: 450 }, (_, index) => ['EVAL', `return ${index}`, '0'])
  const [, replies] = await send('/pipeline', commands)
  expect(replies).toEqual(commands.map((_, index) => ({ result: index })))
})

for (const [what, answer] of [
  ['that gets fewer replies than it had commands has no answer', '*0\r\n'],
  ['that a server leaves open when it refuses EXEC is nowhere left open', '-NOPERM exec\r\n'],
] as const) {
  test(`a transaction ${what}`, async () => {
    const connections = new Set<Socket>()
    const redis = createServer((socket) => {
      connections.add(socket.on('error', () => {}))
      socket.on('data', (data) => {
        for (const [, name = ''] of `${data}`.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          const answers: Record<string, string> = { info: '$0\r\n\r\n', EXEC: answer }
          socket.write(answers[name] ?? '+OK\r\n')
        }
      })
    })
    const port = await listenLocally(redis)
    const backend = redisBackend(`redis://127.0.0.1:${port}`)
    const there = () => expect.poll(() => backend.isAvailable).toBe(true)
    try {
      await there()
      const said = await backend.transact([['GET', 'a']]).catch(({ message }) => message)
      expect(said).toEqual(
        answer === '*0\r\n' ? 'Redis returned a wrong number of replies' : { error: 'NOPERM exec' },
      )
      await expect.poll(() => connections.size).toBe(2)
      await there()
    } finally {
      await backend.stop()
      redis.close()
      for (const socket of connections) socket.destroy()
    }
  })
}
