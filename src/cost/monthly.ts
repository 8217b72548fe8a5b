import type { ObjectBill } from '../simulation/object-model.ts'
import { ASSUMED, DURABLE_OBJECTS, type ELASTICACHE, MONTH_HOURS, UPSTASH } from './prices.ts'
import type { Usage } from './usage.ts'

/** What a month costs somewhere, in US dollars. */
export interface Price {
  readonly usd: number
  /** The plan, where there are several. */
  readonly plan?: string
}

/** The most that a place takes. */
export interface Throughput {
  readonly perSecond: number
  readonly of: 'calls' | 'commands'
}

/** What has to be stored, sent and done in a month. */
export interface Load extends Pick<Usage, 'commands' | 'calls'> {
  /** Keys at most. */
  readonly keys: number
}

const SECONDS = MONTH_HOURS * 3600

const bytesOf = ({ keys }: Load) => keys * ASSUMED.bytesPerKey
const trafficGbOf = ({ calls }: Load) => (calls * ASSUMED.bytesPerCall) / 1e9

/** How much of it a load needs per second, on average over the month. */
export const averageOf = (
  { of }: Pick<Throughput, 'of'>,
  load: Pick<Usage, Throughput['of']>,
): number => load[of] / SECONDS

export const UPSTASH_THROUGHPUT: Throughput = {
  perSecond: UPSTASH.commandsPerSecond,
  of: 'commands',
}

type Node = (typeof ELASTICACHE.nodes)[number]

/** What the network of a node carries. */
export const nodeThroughput = ({ gbps }: Node): Throughput => ({
  perSecond: Math.floor((gbps * 1e9) / 8 / ASSUMED.bytesPerRedisCall),
  of: 'calls',
})

const isBeyond = (most: Throughput, load: Load) => averageOf(most, load) > most.perSecond
const isTooFast = (load: Load) => isBeyond(UPSTASH_THROUGHPUT, load)

/** `undefined` if the free plan does not suffice. */
export function freePlan(load: Load): Price | undefined {
  const { commands, megabytes, trafficGb } = UPSTASH.free
  const fits = bytesOf(load) <= megabytes * 1e6 && trafficGbOf(load) <= trafficGb
  return fits && load.commands <= commands && !isTooFast(load) ? { usd: 0 } : undefined
}

/** `undefined` if there are too many commands for a plan of Upstash's. */
export function payAsYouGo(load: Load): Price | undefined {
  if (isTooFast(load)) return undefined
  const { perCommand, freeGb, perGb, freeTrafficGb, perTrafficGb } = UPSTASH.payAsYouGo
  return {
    usd:
      load.commands * perCommand +
      Math.max(0, bytesOf(load) / 1e9 - freeGb) * perGb +
      Math.max(0, trafficGbOf(load) - freeTrafficGb) * perTrafficGb,
  }
}

/** The smallest fixed plan of Upstash that suffices. */
export function fixedPlan(load: Load): Price | undefined {
  if (isTooFast(load)) return undefined
  const plan = UPSTASH.fixed.find(
    ({ megabytes, trafficGb }) =>
      bytesOf(load) <= megabytes * 1e6 && trafficGbOf(load) <= trafficGb,
  )
  return plan && { usd: plan.usd, plan: plan.name }
}

/**
 * `undefined` if a client sends more than its object handles. Rows read are left out: 25 billion
 * are included, and a check reads five at most.
 */
export function durableObjects(
  { requests, rowsWritten }: ObjectBill,
  clients: number,
): Price | undefined {
  const { plan, freeRequests, perRequest, freeRowsWritten, perRowWritten } = DURABLE_OBJECTS
  const { freeGbSeconds, perGbSecond, gb, requestsPerSecond } = DURABLE_OBJECTS
  if (requests / clients / SECONDS > requestsPerSecond) return undefined
  const gbSeconds = requests * ASSUMED.secondsPerObjectCall * gb
  return {
    usd:
      plan +
      Math.max(0, requests - freeRequests) * perRequest +
      Math.max(0, rowsWritten - freeRowsWritten) * perRowWritten +
      Math.max(0, gbSeconds - freeGbSeconds) * perGbSecond,
  }
}

/**
 * `undefined` if the keys need more than half of the node's memory, which leaves room for Redis, or
 * if there are more calls than its network carries.
 */
export function node(size: Node, load: Load): Price | undefined {
  if (isBeyond(nodeThroughput(size), load)) return undefined
  const { perHour, gib } = size
  return bytesOf(load) <= (gib * 2 ** 30) / 2 ? { usd: perHour * MONTH_HOURS } : undefined
}
