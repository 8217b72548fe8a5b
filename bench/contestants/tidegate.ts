import { createLimiter, type LimiterOptions } from 'tidegate'
import { type Batching, batching, upstash } from 'tidegate/upstash'
import type { Contestant, Limited, Quota } from './contestant.ts'

interface Mode {
  readonly name: string
  readonly lease?: boolean
  readonly batch?: Batching
}

function tidegate({ name, lease, batch }: Mode): Contestant {
  return {
    name,
    short: name,
    atomic: true,
    async limit({ url, token }, quota) {
      const store = upstash({ url, token }, batch ? { batch } : {})
      return limited({ ...quota, store, ...(lease ? { lease } : {}) })
    },
  }
}

/** A limiter that counts whom a header names, as the rivals' are told to. */
export function limited(options: Quota & Pick<LimiterOptions, 'store'>): Limited {
  const limiter = createLimiter({ ...options, client: clientOf })
  const background = new Set<Promise<unknown>>()
  const waitUntil = (work: Promise<unknown>) => {
    background.add(work)
  }
  return {
    async check(client) {
      const request = new Request('http://localhost/', { headers: { 'x-client': client } })
      const { allowed, source, degraded } = await limiter.check(request, { waitUntil })
      if (degraded) throw new Error('the store did not answer')
      return { allowed, source }
    },
    async settle() {
      await Promise.all(background)
      background.clear()
    },
  }
}

const clientOf = (request: Request) => ({ plain: request.headers.get('x-client') ?? '' })

export const strict = tidegate({ name: 'Tidegate, strict' })
export const lease = tidegate({ name: 'Tidegate, lease', lease: true })
export const batched = tidegate({ name: 'Tidegate, batch', batch: batching({ wait: 2 }) })
