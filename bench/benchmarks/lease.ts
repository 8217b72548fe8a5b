/**
 * A hot key: one isolate asks 200 times a second about one client, open loop, with the store a trip
 * of 30 ms away. Commands per allowed request, and what each check adds to its request.
 */
import { type Backend, TRIP_MS } from '../backend/backend.ts'
import { rivals } from '../contestants/all.ts'
import type { Answer, Contestant } from '../contestants/contestant.ts'
import { lease, strict } from '../contestants/tidegate.ts'
import { inTurn } from '../measure/in-turn.ts'
import { openLoop, type Timed } from '../measure/open-loop.ts'
import { premise } from '../measure/premise.ts'
import { median, quantile, rounded } from '../measure/statistics.ts'
import type { Outcome } from '../outcome.ts'

const RATE = 200
const SECONDS = 5
/** In one piece, since a lease follows the rate: what its first second costs is the same. */
const LEASE_SECONDS = 10
const WINDOW = 60_000
const PLENTY = 100_000
/** Half of what is asked for. */
const TIGHT = (RATE * SECONDS) / 2

export async function leasing(backend: Backend): Promise<Outcome> {
  const trip = await tripOf(backend)
  premise(trip >= TRIP_MS, `the store is ${TRIP_MS} ms away`, trip)
  await backend.empty()
  const figures = {
    ...(await measure(backend, [lease], [LEASE_SECONDS])),
    ...(await measure(backend, [strict, ...rivals], [1, 1, 1, 1, 1])),
  }
  const ours = figures[lease.name]
  const commands = ours?.['commands per allowed request'] ?? Number.NaN
  const p50 = ours?.['added p50, ms'] ?? Number.NaN
  const of = (measure: keyof Measured, unit: string) =>
    rivals.map(({ name, short }) => `${figures[name]?.[measure]}${unit} ${short}`).join(' · ')
  const held = await underPressure(backend)
  return {
    figures: {
      ...figures,
      'a PING through the same gateway': { 'added p50, ms': rounded(trip) },
      [`${lease.name}, limit ${TIGHT} under twice the demand`]: held,
    },
    rows: [
      {
        measure: `billed commands per allowed request, lease, one isolate at ${RATE} req/s on one key`,
        rivals: of('commands per allowed request', ''),
        target: '≤ 0.05',
        tidegate: `${commands}`,
        met: commands <= 0.05,
      },
      {
        measure: `added p50 latency at ${TRIP_MS} ms to the store, lease, hot key`,
        rivals: of('added p50, ms', ' ms'),
        target: '< 1 ms',
        tidegate: `${p50} ms (p99 ${ours?.['added p99, ms']} ms)`,
        met: p50 < 1,
      },
      {
        measure: `admitted beyond the limit, lease, one isolate, limit ${TIGHT}, ${RATE * SECONDS} asked`,
        rivals: '–',
        target: '0',
        tidegate: `${Math.max(0, held.admitted - TIGHT)}`,
        met: held.admitted <= TIGHT,
      },
      {
        measure: `admitted ÷ limit under twice the demand, lease, 1 isolate`,
        rivals: '–',
        target: '≥ 0.99',
        tidegate: `${held['admitted ÷ limit']}`,
        met: held['admitted ÷ limit'] >= 0.99,
      },
    ],
  }
}

type Measured = Record<
  | 'commands per allowed request'
  | 'trips per allowed request'
  | 'added p50, ms'
  | 'added p99, ms'
  | 'counted ÷ allowed',
  number
>

/** By turns of so many seconds each, so that whatever else the machine does hits all of them. */
async function measure(
  backend: Backend,
  contestants: readonly Contestant[],
  turns: readonly number[],
): Promise<Record<string, Measured>> {
  const parts = await inTurn(contestants.length, (index) =>
    join(backend, contestants[index] ?? lease),
  )
  for (const seconds of turns) {
    for (const part of parts) await part.run(seconds)
  }
  const figures = await inTurn(parts.length, async (index) => parts[index]?.figures())
  return Object.fromEntries(
    contestants.flatMap(({ name }, index) => {
      const found = figures[index]
      return found ? [[name, found]] : []
    }),
  )
}

/** A limiter whose isolate is warm and connected, but has not seen the client that is measured. */
async function join(backend: Backend, { name, atomic, limit }: Contestant) {
  const limited = await limit(backend.far, { limit: PLENTY, window: WINDOW })
  const client = `client-${crypto.randomUUID()}`
  await openLoop(RATE, 1, () => limited.check('somebody-else'))
  await limited.settle?.()
  const begun = limited.socketTrips?.() ?? 0
  const checks: Timed<Answer>[] = []
  let commands = 0
  let requests = 0

  return {
    async run(seconds: number) {
      const cost = await backend.count(async () => {
        checks.push(...(await openLoop(RATE, seconds, () => limited.check(client))))
        await limited.settle?.()
      })
      commands += cost.commands
      requests += cost.requests
    },
    async figures(): Promise<Measured> {
      const trips = requests + (limited.socketTrips?.() ?? 0) - begun
      await limited.stop?.()
      const allowed = checks.filter(({ answer }) => answer.allowed).length
      premise(allowed === checks.length, `${name} allows all, far below the limit`, allowed)
      premise(trips > 0 && commands > 0, `${name} asks Redis`)
      // A lease takes more than it spends. Only GET and SET lose count.
      const counted = await backend.counted(client)
      premise(!atomic || counted >= allowed, `${name} counts in Redis what it allows`, counted)
      const times = checks.map(({ ms }) => ms)
      return {
        'commands per allowed request': rounded(commands / allowed),
        'trips per allowed request': rounded(trips / allowed),
        'added p50, ms': rounded(median(times)),
        'added p99, ms': rounded(quantile(times, 0.99)),
        'counted ÷ allowed': rounded(counted / allowed),
      }
    },
  }
}

/** Leases must not cost the limit its exactness, nor clients their share. */
async function underPressure(backend: Backend) {
  await backend.empty()
  const limited = await lease.limit(backend.far, { limit: TIGHT, window: WINDOW })
  const checks = await openLoop(RATE, SECONDS, () => limited.check('client'))
  await limited.settle?.()
  const admitted = checks.filter(({ answer }) => answer.allowed).length
  const counted = await backend.counted()
  premise(counted >= admitted, 'Redis counts what is admitted', counted)
  premise(admitted < checks.length, 'the limit is reached', admitted)
  const sources = new Set(checks.map(({ answer }) => answer.source))
  premise(sources.has('lease'), 'the lease decides most of them', [...sources])
  return { admitted, 'admitted ÷ limit': rounded(admitted / TIGHT) }
}

async function tripOf({ far }: Backend): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 20; i++) {
    const start = performance.now()
    const answer = await fetch(far.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${far.token}` },
      body: '["PING"]',
    })
    premise((await answer.text()).includes('PONG'), 'the far gateway answers a PING')
    times.push(performance.now() - start)
  }
  return median(times)
}
