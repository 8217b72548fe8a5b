import { tidegate } from '../simulation/rules/tidegate.ts'
import type { Scenario } from '../simulation/scenario.ts'
import {
  durableObjects,
  fixedPlan,
  freePlan,
  node,
  nodeThroughput,
  type Price,
  payAsYouGo,
  type Throughput,
  UPSTASH_THROUGHPUT,
} from './monthly.ts'
import { DURABLE_OBJECTS, ELASTICACHE, MONTH_HOURS, type Quote, UPSTASH } from './prices.ts'
import { sampleOf } from './sample.ts'
import type { Traffic } from './traffic.ts'
import { objectUsageOf, RIVALS, type Usage, usageOf } from './usage.ts'

/** The limiters that are compared. `upstash` is `Ratelimit.fixedWindow` of @upstash/ratelimit. */
export const LIMITERS = ['tidegate', 'upstash', 'getSet'] as const
export type Limiter = (typeof LIMITERS)[number]

/** What a month costs in one place. */
export interface Offer {
  readonly place: string
  /** `null` where a limiter cannot count there, or where the place is too small or too slow. */
  readonly prices: Readonly<Record<Limiter, Price | null>>
  /** The most that the place takes. `undefined` if the clients are spread, so it has no such limit. */
  readonly throughput?: Throughput | undefined
  /** Whether the price is assumed, since none is published. */
  readonly assumed: boolean
  readonly source: string
  /** The month in which the price was read. */
  readonly read: string
}

/** What traffic costs in a month. */
export interface Estimate {
  readonly traffic: Traffic
  /** What was simulated. */
  readonly sample: {
    readonly clients: number
    readonly days: number
    /** Whether the window was too long to simulate: the commands are then an upper bound. */
    readonly shortened: boolean
  }
  readonly usages: Readonly<Record<Limiter, Usage>>
  /** Tidegate, if each client stayed at one isolate. */
  readonly oneIsolate: Usage
  /** Tidegate, if each request reached any of the isolates. */
  readonly anyIsolate: Usage
  readonly offers: readonly Offer[]
}

/** Simulates a sample of the traffic, and computes its prices. Takes some seconds. */
export async function estimate(traffic: Traffic): Promise<Estimate> {
  const { scenario, shortened } = sampleOf(traffic)
  const { requests, lease, clients, isolates } = traffic
  const keys = keysOf(traffic)
  const ours = (of: Scenario) => usageOf(of, tidegate({ lease }), requests)
  const usages = {
    tidegate: await ours(scenario),
    upstash: await usageOf(scenario, RIVALS.upstash, requests),
    getSet: await usageOf(scenario, RIVALS.getSet, requests),
  }
  /** With another route, unless it is the same. */
  const routed = async (route: Scenario['route']) =>
    isolates === 1 || scenario.route === route ? usages.tidegate : ours({ ...scenario, route })
  const oneIsolate = await routed('sticky')
  const anyIsolate = await routed('uniform')
  const objects = durableObjects(await objectUsageOf(scenario, lease, requests), clients)

  const priced = (
    place: string,
    quote: Quote,
    of: Pricing,
    throughput?: Throughput,
    assumed = false,
  ): Offer => {
    const priceOf = (usage: Usage) => of({ ...usage, keys }) ?? null
    const prices = {
      tidegate: priceOf(usages.tidegate),
      upstash: priceOf(usages.upstash),
      getSet: priceOf(usages.getSet),
    }
    return { place, prices, throughput, assumed, source: quote.source, read: quote.read }
  }
  return {
    traffic,
    sample: { clients: scenario.keys, days: scenario.duration / 86_400_000, shortened },
    usages,
    oneIsolate,
    anyIsolate,
    offers: [
      priced('Upstash, free', UPSTASH, freePlan, UPSTASH_THROUGHPUT),
      priced('Upstash, pay as you go', UPSTASH, payAsYouGo, UPSTASH_THROUGHPUT),
      priced('Upstash, fixed plan', UPSTASH, fixedPlan, UPSTASH_THROUGHPUT),
      // Vercel publishes no price of its own for the databases of Upstash.
      priced('Upstash through Vercel', UPSTASH, payAsYouGo, UPSTASH_THROUGHPUT, true),
      {
        ...priced('Durable Objects', DURABLE_OBJECTS, () => undefined),
        prices: { tidegate: objects ?? null, upstash: null, getSet: null },
      },
      ...ELASTICACHE.nodes.map((size) =>
        priced(
          `ElastiCache ${size.name}`,
          ELASTICACHE,
          (load) => node(size, load),
          nodeThroughput(size),
        ),
      ),
    ],
  }
}

/** How many keys there are at one time: a key lives for one window, and each request may open one. */
const keysOf = ({ requests, clients, window }: Traffic): number =>
  Math.min(clients, Math.ceil((requests * window) / (MONTH_HOURS * 3_600_000)))

type Pricing = (load: Usage & { readonly keys: number }) => Price | undefined
