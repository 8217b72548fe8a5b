/**
 * What metrics cost: requests per second of the processor's time of a Hono app in process, with a
 * collector and with every sink, as a share of the same app without a listener. Over memory, where
 * a check takes a microsecond or two, and over a Redis on the same machine.
 */
import type { Listening } from '../apps/listeners.ts'
import type { RoundResult } from '../apps/round.ts'
import type { Backend } from '../backend/backend.ts'
import { interleaved, look, type Runner } from '../measure/interleaved.ts'
import { type Program, startProgram } from '../measure/program.ts'
import type { Outcome, Row } from '../outcome.ts'

const APPS: readonly Listening[] = ['nobody', 'a collector', 'every sink']

export async function listeners(backend: Backend): Promise<Outcome> {
  const inMemory = await measure('memory store', 3000)
  await backend.empty()
  const overRedis = await measure('Redis store', 500, backend.near.redisUrl)
  await backend.empty()
  return {
    figures: { ...inMemory.figures, ...overRedis.figures },
    rows: [...inMemory.rows, ...overRedis.rows],
  }
}

async function measure(
  store: string,
  requests: number,
  ...args: readonly string[]
): Promise<Outcome> {
  const programs: Program[] = []
  try {
    const runners: Runner[] = []
    for (const name of APPS) {
      const file = new URL('../apps/node-process.ts', import.meta.url)
      const { program } = await startProgram(file, ['listeners', name, ...args])
      programs.push(program)
      runners.push({ name, run: async (round) => (await program.ask(round)) as RoundResult })
    }
    await look(runners, '')
    const figures = await interleaved(runners, { requests, cpu: true })
    const rows = (['many clients', 'one client'] as const).map((mode): Row => {
      const [collecting = 0, sinks = 0] = APPS.slice(1).map(
        (name) => figures[name]?.[`${mode}, ÷ bare`],
      )
      return {
        measure: `throughput with metrics ÷ without, ${store}, Node, ${mode}`,
        rivals: '–',
        target: '≥ 0.95',
        tidegate: `${collecting} collector · ${sinks} every sink`,
        met: Math.min(collecting, sinks) >= 0.95,
      }
    })
    const named = Object.entries(figures).map(([name, found]) => [`${name}, ${store}`, found])
    return { figures: Object.fromEntries(named), rows }
  } finally {
    for (const program of programs) await program.stop()
  }
}
