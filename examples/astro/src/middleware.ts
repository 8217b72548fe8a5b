import { defineMiddleware } from 'astro:middleware'
import { createLimiter } from 'tidegate'
import { storeFromEnv } from 'tidegate/node'

const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })

export const onRequest = defineMiddleware((context, next) => {
  // A page that is prerendered has no client.
  if (context.isPrerendered) return next()
  return limiter.handle(context.request, () => next(), { ip: context.clientAddress })
})
