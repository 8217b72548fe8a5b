/**
 * A client that is over its limit and goes on asking: how many trips its requests wait for after
 * the first refusal, and whether it is let in again as soon as its window ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Backend } from '../backend/backend.ts'
import { rivals } from '../contestants/all.ts'
import type { Contestant } from '../contestants/contestant.ts'
import { lease, strict } from '../contestants/tidegate.ts'
import { inTurn } from '../measure/in-turn.ts'
import { premise } from '../measure/premise.ts'
import { rounded } from '../measure/statistics.ts'
import type { Outcome } from '../outcome.ts'

const LIMIT = 5
const REFUSALS = 20
const WINDOW = 2000
const LONG = 3_600_000

export async function refusals(backend: Backend): Promise<Outcome> {
  const figures: Record<string, Refused> = {}
  for (const contestant of [strict, lease, ...rivals]) {
    figures[contestant.name] = await measure(backend, contestant)
  }
  const ours = [strict, lease].map(({ name }) => figures[name]?.['trips per refusal'] ?? Number.NaN)
  const inTime = await openAgain(backend)
  return {
    figures: { ...figures, [`${strict.name}, after the window`]: inTime },
    rows: [
      {
        measure: 'trips on the critical path, refused client, after the first refusal',
        rivals: rivals
          .map(({ name, short }) => `${figures[name]?.['trips per refusal']} ${short}`)
          .join(' · '),
        target: '0',
        tidegate: `${ours[0]} strict · ${ours[1]} lease`,
        met: ours.every((trips) => trips === 0),
      },
    ],
  }
}

type Refused = Record<'trips per refusal' | 'commands per refusal', number>

async function measure(backend: Backend, contestant: Contestant): Promise<Refused> {
  const { name } = contestant
  const limited = await contestant.limit(backend.near, { limit: LIMIT, window: LONG })
  await limited.check('somebody-else')
  await backend.empty()
  // An isolate knows of a client that earlier benchmarks have exhausted in the same store.
  const client = crypto.randomUUID()
  const ask = () => limited.check(client)
  const before = await inTurn(LIMIT, ask)
  premise(
    before.every(({ allowed }) => allowed),
    `${name} allows ${LIMIT}`,
  )
  premise(!(await ask()).allowed, `${name} refuses one more`)
  await limited.settle?.()

  const trips = limited.socketTrips?.() ?? 0
  const { result, commands, requests } = await backend.count(async () => {
    const answers = await inTurn(REFUSALS, ask)
    await limited.settle?.()
    return answers
  })
  premise(
    result.every(({ allowed }) => !allowed),
    `${name} refuses as long as the window lasts`,
  )
  // What answered without a trip answered for this client alone.
  premise((await limited.check('another')).allowed, `${name} still lets another client in`)
  const after = limited.socketTrips?.() ?? 0
  await limited.stop?.()
  return {
    'trips per refusal': rounded((requests + Math.min(after - trips, REFUSALS)) / REFUSALS),
    'commands per refusal': rounded(commands / REFUSALS),
  }
}

/** What the isolate knows must not lock anybody out for longer than the window. */
async function openAgain(backend: Backend) {
  await backend.empty()
  const limited = await strict.limit(backend.near, { limit: 1, window: WINDOW })
  await limited.check('somebody-else')
  const start = performance.now()
  premise((await limited.check('client')).allowed, 'a new client is let in')
  const refused = []
  while ((await backend.redis.pttl('ratelimit:client')) > 100) {
    refused.push(await limited.check('client'))
    await sleep(20)
  }
  premise(
    refused.length > 0 && refused.every(({ allowed }) => !allowed),
    'until the window ends it is refused',
  )
  premise(
    refused.slice(1).every(({ source }) => source === 'known'),
    'from the second on by what is known here',
    [...new Set(refused.map(({ source }) => source))],
  )
  while (!(await limited.check('client')).allowed) await sleep(1)
  return { 'shut out for, ÷ window': rounded((performance.now() - start) / WINDOW) }
}
