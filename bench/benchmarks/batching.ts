/**
 * HTTP calls per check when 500 different clients ask at once. In Node each check begins in a turn
 * of the event loop of its own, as the requests of a server do: within one turn any client that
 * pipelines would merge them all. In workerd they are real requests over the loopback.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import type { Backend } from '../backend/backend.ts'
import { rivals } from '../contestants/all.ts'
import type { Contestant } from '../contestants/contestant.ts'
import { batched, strict } from '../contestants/tidegate.ts'
import { inTurn } from '../measure/in-turn.ts'
import { premise } from '../measure/premise.ts'
import { median, rounded } from '../measure/statistics.ts'
import type { Outcome } from '../outcome.ts'

const CLIENTS = 500
const TIMES = 3
const QUOTA = { limit: 100, window: 3_600_000 }

export async function batching(backend: Backend): Promise<Outcome> {
  const figures: Record<string, Record<string, number>> = {}
  for (const contestant of [batched, strict, ...rivals]) {
    figures[contestant.name] = await inNode(backend, contestant)
  }
  for (const [name, entry] of Object.entries(WORKERS)) {
    figures[name] = { ...figures[name], ...(await inWorkerd(backend, name, entry)) }
  }
  const ours = figures[batched.name] ?? {}
  const overHttp = rivals.filter(({ name }) => (figures[name]?.['trips per check, Node'] ?? 0) > 0)
  return {
    figures,
    rows: (['Node', 'workerd'] as const).map((where) => {
      const calls = ours[`HTTP calls per check, ${where}`] ?? Number.NaN
      const measured = overHttp.filter(({ name }) => figures[name]?.[`trips per check, ${where}`])
      return {
        measure: `HTTP calls per check, ${CLIENTS} different clients at once, batch of 2 ms, ${where}`,
        rivals: measured
          .map(({ name, short }) => `${figures[name]?.[`trips per check, ${where}`]} ${short}`)
          .join(' · '),
        target: '≤ 0.15',
        tidegate: `${calls}`,
        met: calls <= 0.15,
      }
    }),
  }
}

async function inNode(backend: Backend, { name, limit, atomic }: Contestant) {
  const limited = await limit(backend.near, QUOTA)
  // What only the first check of an isolate needs is done before.
  await limited.check('somebody-else')
  const calls = await inTurn(TIMES, async (time) => {
    await backend.empty()
    const before = limited.socketTrips?.() ?? 0
    const { result, requests } = await backend.count(async () => {
      const checks: Promise<{ readonly allowed: boolean }>[] = []
      for (let i = 0; i < CLIENTS; i++) {
        await turn()
        checks.push(limited.check(`client-${time}-${i}`))
      }
      return Promise.all(checks)
    })
    premise(
      result.every(({ allowed }) => allowed),
      `${name} allows all`,
    )
    await counted(backend, name, atomic)
    return { http: requests / CLIENTS, socket: (limited.socketTrips?.() ?? 0) - before }
  })
  await limited.stop?.()
  const http = rounded(median(calls.map((call) => call.http)))
  const socket = median(calls.map((call) => call.socket)) / CLIENTS
  return { 'HTTP calls per check, Node': http, 'trips per check, Node': rounded(http + socket) }
}

/**
 * That the clients did differ, and that Redis was asked about each. A request that no longer waits
 * for its batch asks by itself, and may be counted twice.
 */
async function counted(backend: Backend, name: string, atomic = true) {
  const keys = await backend.redis.dbsize()
  premise(keys === CLIENTS, `${name} counts ${CLIENTS} clients`, keys)
  const sum = await backend.counted()
  premise(!atomic || sum >= CLIENTS, `${name} counts each`, sum)
}

const bench = fileURLToPath(new URL('..', import.meta.url))

/** What runs in workerd: the limiter of the last line is asked about the client of the request. */
const WORKERS: Readonly<Record<string, string>> = {
  [batched.name]: './apps/batch-tidegate.ts',
  '@upstash/ratelimit 2.2.0': './apps/batch-upstash.ts',
}

async function inWorkerd({ near, ...backend }: Backend, name: string, entry: string) {
  const script = await bundle({
    entryPoints: [entry],
    absWorkingDir: bench,
    // Its client guards what it asks of `process`, which workerd has not.
    platform: 'browser',
  })
  const worker = await startWorker({ script, env: { URL: near.url, TOKEN: near.token, ...QUOTA } })
  try {
    await worker.fetch('/?client=somebody-else')
    const calls = await inTurn(TIMES, async (time) => {
      await backend.empty()
      const { result, requests } = await backend.count(() =>
        Promise.all(
          Array.from({ length: CLIENTS }, async (_, index) => {
            const answer = await worker.fetch(`/?client=client-${time}-${index}`)
            return { status: answer.status, said: await answer.text() }
          }),
        ),
      )
      premise(
        result.every(({ status, said }) => status === 200 && said === 'allowed'),
        `${name} in workerd allows all`,
        [...new Set(result.map(({ status, said }) => `${status} ${said}`))],
      )
      await counted({ near, ...backend }, `${name} in workerd`)
      return requests / CLIENTS
    })
    const http = rounded(median(calls))
    return { 'HTTP calls per check, workerd': http, 'trips per check, workerd': http }
  } finally {
    await worker.stop()
  }
}
