import { storeFromEnv } from '../../../src/node.ts'
import type { StorePlace } from '../quota.ts'
import { tidegate } from './tidegate.ts'

/** With its defaults, over TCP. */
export const app = ({ redisUrl }: StorePlace) => tidegate(storeFromEnv({ REDIS_URL: redisUrl }))
