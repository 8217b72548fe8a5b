import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { createIoRedis } from '../../src/stores/redis-protocol/ioredis-connection.ts'
import { spawnRedis } from '../support/redis-server.ts'

const server = await spawnRedis({ args: ['--databases', '4'] })
afterAll(() => server.stop())

test('a connection whose database the server refuses is never ready', async () => {
  const connection = createIoRedis(Redis, `${server.url}/4`, { lazyConnect: true })
  await connection.redis.connect()
  expect(connection.redis.status, 'ioredis goes on in database 0').toBe('ready')
  expect(connection.isReady).toBe(false)
  expect(connection.databaseError?.message).toContain('out of range')
  connection.redis.disconnect()
})

test('a connection is ready again when the server accepts the database after a reconnect', async () => {
  const admin = new Redis(server.url)
  const rights = ['on', 'nopass', '~*', '+@all']
  await admin.call('ACL', 'SETUSER', 'edge', ...rights, '-select')
  const url = server.url.replace('//', '//edge:any@')
  const connection = createIoRedis(Redis, `${url}/3`, { lazyConnect: true })
  await connection.redis.connect()
  expect(connection.isReady).toBe(false)
  await admin.call('ACL', 'SETUSER', 'edge', '+select')
  connection.redis.disconnect(true)
  await expect.poll(() => connection.isReady).toBe(true)
  expect(connection.databaseError).toBeUndefined()
  expect(await connection.redis.client('INFO')).toContain(' db=3 ')
  connection.redis.disconnect()
  admin.disconnect()
})
