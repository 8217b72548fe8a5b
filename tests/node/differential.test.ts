import { Redis as IoRedis } from 'ioredis'
import { Redis as IoValkey } from 'iovalkey'
import { createClient } from 'redis'
import { afterAll, inject, test } from 'vitest'
import { redis } from '../../src/stores/redis.ts'
import { expectGrantsOfMemory } from '../support/differential.ts'
import { clientSubject } from '../support/subjects.ts'

const url = inject('redisUrl')
const ioredis = new IoRedis(url)
const iovalkey = new IoValkey(url)
const nodeRedis = await createClient({ url }).connect()
afterAll(async () => {
  ioredis.disconnect()
  iovalkey.disconnect()
  await nodeRedis.close()
})

const SUBJECTS = {
  'redis with ioredis': () => clientSubject(ioredis, (options) => redis(ioredis, options)),
  'redis with iovalkey': () => clientSubject(ioredis, (options) => redis(iovalkey, options)),
  'redis with node-redis': () => clientSubject(ioredis, (options) => redis(nodeRedis, options)),
}

for (const [name, make] of Object.entries(SUBJECTS)) {
  test(`${name} grants what memory grants, for any sequence of demands and waits`, async () => {
    await expectGrantsOfMemory(make, 60)
  })
}
