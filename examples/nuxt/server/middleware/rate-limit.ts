import { createLimiter } from 'tidegate'
import { storeFromEnv, toWebRequest } from 'tidegate/node'

const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })

export default defineEventHandler(async (event) => {
  const request = toWebRequest(event.node.req)
  const decision = await limiter.check(request, { ip: getRequestIP(event) })
  if (!decision.allowed) return limiter.refuse(decision, request)
  setResponseHeaders(event, limiter.headers(decision))
})
