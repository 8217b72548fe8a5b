import type { Handle } from '@sveltejs/kit/hooks'
import { createLimiter } from 'tidegate'
import { storeFromEnv } from 'tidegate/node'
import { building } from '$app/env'

const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })

export const handle: Handle = ({ event, resolve }) => {
  // A page that is prerendered has no client.
  if (building) return resolve(event)
  return limiter.handle(event.request, () => resolve(event), { ip: event.getClientAddress() })
}
