import type { TestProject } from 'vitest/node'
import { startGateway } from './gateway-server.ts'
import { startRedis } from './redis-server.ts'

/** Where a gateway listens. */
export interface Endpoint {
  readonly url: string
  readonly token: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The real Redis behind both gateways. */
    redisUrl: string
    /** The gateway, in front of a plain Redis. */
    gateway: Endpoint
    /** The gateway, in front of a server that locks by key as Upstash does. */
    upstash: Endpoint
  }
}

/** Starts what the tests of a project need, and stops it after them. */
export default async function setup(project: TestProject) {
  const redis = await startRedis()
  const gateway = await startGateway(redis.url)
  const upstash = await startGateway(redis.url, { upstash: true })
  project.provide('redisUrl', redis.url)
  project.provide('gateway', { url: gateway.url, token: gateway.token })
  project.provide('upstash', { url: upstash.url, token: upstash.token })
  return async () => {
    await Promise.all([gateway.stop(), upstash.stop()])
    await redis.stop()
  }
}
