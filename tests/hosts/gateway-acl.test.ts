import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { redisBackend } from '../../src/gateway/backend.ts'
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

test('a database that Redis refuses is no place for counts: away', async () => {
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const backend = redisBackend(`${urlOf('tidegate')}/3`, { log })
  try {
    await expect.poll(() => lines.join()).toContain('Redis refuses the number of the database')
    await expect(backend.call(['SET', 'ratelimit:y', '1'])).rejects.toThrow('Redis is away')
    expect(backend.away).toBe(true)
    expect(await admin.exists('ratelimit:y')).toBe(0)
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
