import { setTimeout as sleep } from 'node:timers/promises'
import type { Limiter } from '../../src/cost/estimate.ts'
import { MONTH_HOURS } from '../../src/cost/prices.ts'
import { TRIP_MS } from '../../src/cost/sample.ts'
import type { Traffic } from '../../src/cost/traffic.ts'
import { ISOLATES } from './limiters.ts'
import { farRedis } from './store.ts'
import { stretchOf } from './stretch.ts'

const STRETCH_MS = 20_000
const MONTH_SECONDS = MONTH_HOURS * 3600

/** What is sent, and from when on it is measured. */
interface Plan {
  /** About so many requests. */
  readonly requests: number
  /** In so many ms. */
  readonly ms: number
  readonly measuredFrom: number
}

/** A limiter over a Redis of its own, ready to be measured. */
export interface Measurement {
  /** Sends a stretch of the traffic in real time. Resolves to the billed commands per request. */
  run(): Promise<number>
  stop(): Promise<void>
}

/** Sets up the real limiter, once for each isolate, over a real Redis. */
export async function prepare(limiter: Limiter, traffic: Traffic): Promise<Measurement> {
  const { requests, ms, measuredFrom } = planOf(limiter, traffic)
  const arrivals = stretchOf(traffic, ms, requests)
  const redis = await farRedis(TRIP_MS)
  const isolates = Array.from({ length: traffic.isolates }, () => ISOLATES[limiter](redis, traffic))

  return {
    async run() {
      // On a server that has run for a while the scripts are known.
      for (const client of ['warm', 'warm']) await isolates[0]?.(client)
      const start = performance.now()
      const checks: Promise<unknown>[] = []
      let measured = 0
      let resetting: Promise<void> | undefined
      for (const { at, client, slot } of arrivals) {
        const wait = start + at - performance.now()
        if (wait > 0) await sleep(wait)
        if (at >= measuredFrom) {
          resetting ??= redis.reset()
          measured++
        }
        checks.push(isolates[slot]?.(client) ?? Promise.resolve())
      }
      await Promise.all([...checks, resetting])
      return Number(((await redis.commands()) / measured).toFixed(4))
    },
    stop: redis.stop,
  }
}

function planOf(limiter: Limiter, traffic: Traffic): Plan {
  // Each client comes once, so there is nothing to warm up.
  if (traffic.visit > 1) return { requests: 2500, ms: STRETCH_MS, measuredFrom: 0 }
  if (limiter === 'getSet') return { requests: 1000, ms: cycleOf(traffic), measuredFrom: 0 }
  // The second window of ten seconds: by then the leases know how hot a client is.
  const requests = limiter === 'tidegate' && traffic.lease ? 8000 : 2500
  return { requests, ms: STRETCH_MS, measuredFrom: STRETCH_MS / 2 }
}

/**
 * GET, then SET postpones the end of the window with each request, so it refuses even a client that
 * never exceeds its limit once its count is full: requests that meet each other count as one, so
 * that takes about 2.5 times as many requests as the limit. Then it refuses for a window.
 */
function cycleOf({ requests, clients, limit, window }: Traffic): number {
  const perMs = requests / clients / MONTH_SECONDS / 1000
  return Math.max(STRETCH_MS, (2.5 * limit) / perMs + window)
}
