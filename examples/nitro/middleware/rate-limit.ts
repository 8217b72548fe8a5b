import { defineHandler } from 'nitro/h3'
import { createLimiter } from 'tidegate'
import { storeFromEnv } from 'tidegate/node'

const limiter = createLimiter({ limit: 100, window: '1m', store: storeFromEnv })

export default defineHandler(async ({ req, res }) => {
  const decision = await limiter.check(req, { ip: req.ip })
  if (!decision.allowed) return limiter.refuse(decision, req)
  for (const [name, value] of Object.entries(limiter.headers(decision))) {
    res.headers.set(name, value)
  }
})
