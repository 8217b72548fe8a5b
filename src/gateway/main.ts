/** `npm run gateway -- --redis redis://localhost:6379 --port 8079 --token …` */
import { parseArgs } from 'node:util'
import { serve } from '@hono/node-server'
import { Redis } from 'ioredis'
import { gateway } from './gateway.ts'

const { values } = parseArgs({
  options: {
    redis: { type: 'string', default: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
    port: { type: 'string', default: '8079' },
    token: { type: 'string', default: process.env.GATEWAY_TOKEN ?? crypto.randomUUID() },
  },
})

const redis = new Redis(values.redis)
redis.on('error', (error) => console.error(`gateway: Redis: ${error.message}`))

serve(
  {
    fetch: gateway({ redis, token: values.token }).fetch,
    hostname: '127.0.0.1',
    port: Number(values.port),
  },
  ({ port }) => {
    console.log(`UPSTASH_REDIS_REST_URL=http://127.0.0.1:${port}`)
    console.log(`UPSTASH_REDIS_REST_TOKEN=${values.token}`)
  },
)
