import { setTimeout as sleep } from 'node:timers/promises'
import { premise } from '../measure/premise.ts'
import { quantile, rounded } from '../measure/statistics.ts'
import { causeIncidents } from './cause-incidents.ts'
import { type Isolates, startIsolates } from './isolates.ts'
import { type Answered, isLong, lateChecks } from './late-checks.ts'
import type { Options } from './options.ts'
import { CONTROL } from './paths.ts'
import type { Sample } from './sample.ts'
import { watchStalls } from './stalls.ts'
import { type SoakedStore, startStore } from './store.ts'
import type { StoreAnswer } from './store-process.ts'
import type { Events } from './verdict.ts'
import { startVisitors, type Visitors } from './visitors.ts'

export const ISOLATES = 2

/** What an isolate remembers at most: `MAX_KEYS` of `isolate/lru.ts`. */
const MAX_KEYS = 10_000
/** A shorter run says nothing about growth. */
const MINUTES_WITH_TREND = 0.9
/** So many samples of a run, but at most one each second and at least one each 5 s. */
const SAMPLES = 60
/** Visitors come on without faults: longer than the pause before keys are healed once more. */
const QUIET_MS = 8_000
/** Without visitors: longer than keys wait to be healed and workerd keeps an idle connection. */
const MOST_IDLE_MS = 20_000

/** In ms. */
interface Times {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface Finding {
  readonly samples: readonly Sample[]
  readonly events: Events
  /** How often each incident came. */
  readonly incidents: Readonly<Record<string, number>>
  readonly requests: number
  /** Requests that were due and not sent, since too many were without an answer. */
  readonly heldBack: number
  /** HTTP calls that reached the proxies. */
  readonly calls: number
  readonly times: {
    /** In the Worker: what the check added. */
    readonly inside: Times
    /** At the visitors. */
    readonly seen: Times
    /** How late a bare timer of an isolate was. */
    readonly stalls: Times
  }
  /** Checks that took longer than the deadline and what a stalled process adds, explained or not. */
  readonly longChecks: number
  /** The most lines that one isolate logged in a minute. */
  readonly linesInAMinute: number
  readonly latestLines: readonly string[]
  /** Lines of workerd itself, and how often each. */
  readonly runtimeLines: Readonly<Record<string, number>>
  readonly gatewayLines: number
  /** Keys in Redis at the quiet end. */
  readonly keys: number
}

/** Runs visitors and faults for a while. Returns what happened meanwhile. */
export async function soak(options: Options): Promise<Finding> {
  const store = await startStore(ISOLATES, options.seed)
  try {
    const isolates = await startIsolates(store.places)
    try {
      await assertRejectionsAreSeen(isolates)
      if (options.minutes >= MINUTES_WITH_TREND) await isolates.fill(MAX_KEYS)
      return await run(options, store, isolates)
    } finally {
      await isolates.stop()
    }
  } finally {
    await store.stop()
  }
}

/** Rejects one promise in each isolate, to show that the soak would see it. */
async function assertRejectionsAreSeen({ urls, watches }: Isolates): Promise<void> {
  for (const url of urls) await (await fetch(url + CONTROL.reject)).text()
  const seen = (await watches()).map(({ rejections }) => rejections.length)
  premise(
    seen.every((count) => count === 1),
    'each isolate notices an unhandled rejection',
    seen,
  )
}

async function run(options: Options, store: SoakedStore, isolates: Isolates): Promise<Finding> {
  const { minutes, rate, seed, faults, paths } = options
  const seconds = minutes * 60
  const start = performance.now()
  const end = start + seconds * 1000
  const visitors = startVisitors(isolates.urls, { rate, seed, paths })
  const watched = watchStalls(isolates.urls)
  const inside: number[] = []
  const seen: number[] = []
  const long: Answered[] = []
  const samples: Sample[] = []

  const caused = causeIncidents({ store, isolates, seed, faults, end })
  function noteAnswered(): void {
    const answered = visitors.takeAnswered()
    inside.push(...summary(answered.map(({ inside }) => inside)))
    seen.push(...summary(answered.map(({ sent, ended }) => ended - sent)))
    long.push(...answered.filter(isLong))
  }
  const interval = 1000 * Math.min(Math.max(seconds / SAMPLES, 1), 5)
  while (performance.now() < end) {
    const next = performance.now() + interval
    samples.push(await sample((performance.now() - start) / 1000, store, isolates, visitors))
    noteAnswered()
    await sleep(Math.max(next - performance.now(), 0))
  }
  const incidents = await caused
  await sleep(QUIET_MS)
  await visitors.stop()
  noteAnswered()
  await watched.stop()
  const { count, withoutExpiry } = await store.keys()
  const { sockets, calls, lines: gatewayLines } = await whenIdle(store)
  const watches = await isolates.watches()

  return {
    samples,
    incidents,
    requests: visitors.sent,
    heldBack: visitors.heldBack,
    calls,
    times: {
      inside: timesOf(inside),
      seen: timesOf(seen),
      stalls: timesOf(watched.stalls.map(({ late }) => late)),
    },
    longChecks: long.length,
    linesInAMinute: linesInAMinute(samples),
    latestLines: watches.flatMap(({ latest }) => latest.slice(-5)),
    runtimeLines: isolates.runtimeLines,
    gatewayLines,
    keys: count,
    events: {
      statuses: visitors.statuses,
      failures: visitors.failures,
      lateChecks: lateChecks(long, watched.stalls),
      // The first is the one on purpose.
      rejections: watches.flatMap(({ rejections }) => rejections.slice(1)),
      keysWithoutExpiry: withoutExpiry,
      socketsAtEnd: sockets.reduce((sum, count) => sum + count, 0),
    },
  }
}

async function sample(
  at: number,
  store: SoakedStore,
  isolates: Isolates,
  visitors: Visitors,
): Promise<Sample> {
  const [heaps, watches, { sockets, redisSockets }] = await Promise.all([
    isolates.heaps(),
    isolates.watches(),
    store.ask({}),
  ])
  return {
    at,
    heaps,
    rss: isolates.rss(),
    sockets,
    redisSockets,
    workerdSockets: isolates.sockets(),
    lines: watches.map(({ lines }) => lines),
    requests: visitors.sent,
  }
}

/** Waits until all connections of the isolates are closed, or for as long as they may stay open. */
async function whenIdle(store: SoakedStore): Promise<StoreAnswer> {
  const until = performance.now() + MOST_IDLE_MS
  for (;;) {
    const answer = await store.ask({})
    const isIdle = answer.sockets.every((count) => count === 0)
    if (isIdle || performance.now() > until) return answer
    await sleep(500)
  }
}

const timesOf = (times: readonly number[]): Times => ({
  p50: rounded(quantile(times, 0.5)),
  p99: rounded(quantile(times, 0.99)),
  max: rounded(quantile(times, 1)),
})

/** Bounded: of each interval a hundred times at most. */
function summary(times: readonly number[]): readonly number[] {
  const sorted = [...times].sort((a, b) => a - b)
  const step = Math.max(1, Math.ceil(sorted.length / 100))
  return sorted.filter((_, index) => (sorted.length - 1 - index) % step === 0)
}

/** The most lines of one isolate between two samples that are at most a minute apart. */
function linesInAMinute(samples: readonly Sample[]): number {
  let most = 0
  let from = 0
  samples.forEach(({ at, lines }) => {
    while ((samples[from]?.at ?? at) < at - 60) from++
    const before = samples[from]?.lines ?? []
    for (const [index, count] of lines.entries())
      most = Math.max(most, count - (before[index] ?? 0))
  })
  return most
}
