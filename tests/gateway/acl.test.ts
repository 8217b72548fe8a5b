import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { redisBackend } from '../../src/gateway/backend.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { type GatewayServer, startGateway } from '../support/gateway-server.ts'
import { spawnRedis } from '../support/redis-server.ts'

const server = await spawnRedis()
const admin = new Redis(server.url)
const [line = ''] = /ACL SETUSER tidegate .*/.exec(readFileSync('docs/gateway.md', 'utf8')) ?? []
const [name = '', ...rules] = line.replace('<password>', 'secret').split(' ')
await admin.call(name, ...rules)
await admin.call(name, 'SETUSER', 'plain', 'on', '>secret', '~*', '+@all', '-multi', '-exec')
await admin.call(name, 'SETUSER', 'half', 'on', '>secret', '~*', '+@all', '-exec', '-discard')

const urlOf = (user: string) => server.url.replace('//', `//${user}:secret@`)
const as = (user: string) => startGateway(urlOf(user), { allow: [] })
const documented = await as('tidegate')
const plain = await as('plain')
const half = await as('half')
afterAll(async () => {
  await Promise.all([documented, plain, half].map((gateway) => gateway.stop()))
  admin.disconnect()
  await server.stop()
})

const send = ({ url, token }: GatewayServer, path: string, body: unknown) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })

const COMMANDS = [
  ['SET', 'ratelimit:x', '1'],
  ['INCRBY', 'ratelimit:x', '41'],
]

describe('a transaction', () => {
  test('runs as the user that docs/gateway.md makes', async () => {
    const response = await send(documented, '/multi-exec', COMMANDS)
    expect(await response.json()).toEqual([{ result: 'OK' }, { result: 42 }])
    await admin.del('ratelimit:x')
  })

  for (const [who, gateway] of Object.entries({ plain, half })) {
    test(`that Redis does not let the user ${who} have runs none of its commands`, async () => {
      for (let attempt = 0; attempt < 2; attempt++) {
        const response = await send(gateway, '/multi-exec', COMMANDS)
        expect(response.status).toBeGreaterThanOrEqual(400)
        expect(await admin.exists('ratelimit:x')).toBe(0)
      }
      await expect
        .poll(async () => (await send(gateway, '/', ['GET', 'ratelimit:x'])).json())
        .toEqual({ result: null })
    })
  }
})

/** The connections of a user, by their numbers at Redis. */
const connectionsOf = async (user: string) =>
  `${await admin.call('CLIENT', 'LIST')}`
    .split('\n')
    .filter((client) => client.includes(` user=${user} `))
    .map((client) => client.split(' ')[0])
    .sort()

test('a transaction that Redis itself has discarded costs nobody the connection', async () => {
  const before = await connectionsOf('half')
  expect(before).toHaveLength(2)
  const answers = await Promise.all([
    send(half, '/multi-exec', COMMANDS),
    ...Array.from({ length: 20 }, () => send(half, '/', ['GET', 'ratelimit:x'])),
  ])
  const [first, ...others] = answers.map(({ status }) => status)
  expect(first).toBe(400)
  expect(new Set(others)).toEqual(new Set([200]))
  expect(await connectionsOf('half')).toEqual(before)
  expect(half.log).toEqual([])
})

test('a transaction whose user loses the right to it says so, and that its commands ran', async () => {
  await admin.call(name, 'SETUSER', 'losing', 'on', '>secret', '~*', '+@all')
  const losing = await as('losing')
  try {
    expect((await send(losing, '/multi-exec', COMMANDS)).status).toBe(200)
    await admin.call(name, 'SETUSER', 'losing', '-multi')
    const response = await send(losing, '/multi-exec', COMMANDS)
    expect(response.status).toBe(400)
    const { error } = await response.json()
    expect(error).toMatch(/^NOPERM .*'multi'.* \(the commands ran, but not as a transaction\)$/)
    await admin.set('ratelimit:x', '7')
    expect((await send(losing, '/multi-exec', COMMANDS)).status).toBe(400)
    expect(await admin.get('ratelimit:x')).toBe('7')
  } finally {
    await losing.stop()
    await admin.del('ratelimit:x')
  }
})

test('a transaction that is discarded says because of which refusal', async () => {
  const response = await send(documented, '/multi-exec', [['SET', 'elsewhere', '1'], ...COMMANDS])
  expect(response.status).toBe(400)
  const { error } = await response.json()
  expect(error).toMatch(/^EXECABORT Transaction discarded because of: NOPERM .*keys/)
  expect(await admin.exists('ratelimit:x', 'elsewhere')).toBe(0)
})

test('a database that Redis refuses is no place for counts: away until it takes the number', async () => {
  await admin.call(name, 'SETUSER', 'numbered', 'on', '>secret', '~*', '+@all', '-select')
  const lines: string[] = []
  const clock = manualClock()
  const log = (line: string) => lines.push(line)
  const backend = redisBackend(`${urlOf('numbered')}/3`, { log, clock, pingInterval: 20 })
  const allow = async (rule: string) => {
    await admin.call(name, 'SETUSER', 'numbered', rule)
    await admin.client('KILL', 'USER', 'numbered')
  }
  try {
    await expect.poll(() => lines.join()).toContain('it rejects the database number: NOPERM')
    await expect(backend.call(['SET', 'y', '1'])).rejects.toThrow('Redis is unavailable')
    expect(backend.isAvailable).toBe(false)
    expect(await admin.exists('y')).toBe(0)

    await allow('+select')
    await expect.poll(() => backend.isAvailable).toBe(true)
    await allow('-select')
    await expect.poll(() => backend.isAvailable).toBe(false)
    clock.advance(60_000)
    await expect.poll(() => lines).toHaveLength(3)
    expect(lines).toEqual([
      expect.stringMatching(
        /^Redis is unavailable \(it rejects the database number: .+\): all requests get 503 until/,
      ),
      'Redis is back after 0.0 s',
      expect.stringMatching(
        /^Redis is unavailable \(it rejects the database number: .+, for 60\.0 s so far\)/,
      ),
    ])
  } finally {
    await backend.stop()
  }
})

test('a pipeline of more commands than a client ever sends is refused before it runs', async () => {
  const many = Array.from({ length: 1001 }, () => ['INCR', 'ratelimit:z'])
  for (const path of ['/pipeline', '/multi-exec']) {
    const response = await send(documented, path, many)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: expect.stringContaining('Limit: 1000') })
  }
  expect(await admin.exists('ratelimit:z')).toBe(0)
})
