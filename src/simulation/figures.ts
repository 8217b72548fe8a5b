import type { Books } from './books.ts'
import { START } from './fleet.ts'
import type { Scenario } from './scenario.ts'

/** What followed from a run. */
export interface Figures {
  readonly requests: number
  readonly admitted: number
  readonly refused: number
  /** Asked of isolates that died before they answered. */
  readonly lost: number
  readonly billed: number
  readonly billedPerAllowed: number
  /** That requests waited for. */
  readonly tripsPerRequest: number
  /** With those behind their backs. */
  readonly callsPerRequest: number
  /** What the limiter added to requests that it admitted, in ms. */
  readonly p50: number
  readonly p99: number
  /** Windows that ended while requests still came. */
  readonly windows: number
  /** In those: admitted ÷ limit, or ÷ what was asked for where that is less. */
  readonly share: number
  /** The same in the worst of them. */
  readonly leastShare: number
  /** Admitted beyond the limit, or on a unit of no open window, in all windows. */
  readonly beyond: number
  /** The most that a window admitted, ÷ limit. */
  readonly most: number
  /** Refused although fewer than the limit had been admitted. */
  readonly unfair: number
  /** The same ÷ requests. */
  readonly unfairShare: number
}

export function figures(
  { limit, duration }: Scenario,
  { sums, windows }: Books,
  billed: number,
  calls: number,
): Figures {
  const { admitted, refused, lost, unfair, trips, latencies } = sums
  const requests = admitted + refused + lost
  let [ended, got, due, leastShare, most, beyond] = [0, 0, 0, 1, 0, sums.unbacked]
  for (const [{ endsAt }, count] of windows) {
    beyond += Math.max(0, count.admitted - limit)
    most = Math.max(most, count.admitted / limit)
    if (endsAt === undefined || endsAt > START + duration || count.asked === 0) continue
    const wanted = Math.min(limit, count.asked)
    ended++
    got += count.admitted
    due += wanted
    leastShare = Math.min(leastShare, count.admitted / wanted)
  }
  return {
    requests,
    admitted,
    refused,
    lost,
    billed,
    billedPerAllowed: round(billed / admitted),
    tripsPerRequest: round(trips / requests),
    callsPerRequest: round(calls / requests),
    p50: percentile(latencies, admitted, 0.5),
    p99: percentile(latencies, admitted, 0.99),
    windows: ended,
    share: round(got / due),
    leastShare: round(leastShare),
    beyond,
    most: round(most),
    unfair,
    unfairShare: round(unfair / requests),
  }
}

/** In ms, of a histogram by tenths of ms. */
function percentile(histogram: Uint32Array, total: number, part: number): number {
  let seen = 0
  for (const [tenths, count] of histogram.entries()) {
    seen += count
    if (seen >= part * total) return tenths / 10
  }
  return 0
}

/** To four places; 0 where nothing was divided by nothing. */
const round = (value: number) => (Number.isFinite(value) ? Math.round(value * 1e4) / 1e4 : 0)
