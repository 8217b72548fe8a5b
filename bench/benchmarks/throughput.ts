/**
 * Requests per second of a Hono app with a limiter over its memory store, in process, as a share of
 * a bare Hono app that sets as many header fields: in Node, each app in a process of its own.
 */
import type { RoundResult } from '../apps/round.ts'
import { interleaved, look, type Runner, type Throughput } from '../measure/interleaved.ts'
import { type Program, startProgram } from '../measure/program.ts'
import type { Outcome } from '../outcome.ts'

const APPS = ['bare', 'middleware', 'tidegate', 'hono-rate-limiter', 'rate-limiter-flexible']

export async function throughput(): Promise<Outcome> {
  const programs: Program[] = []
  try {
    const runners: Runner[] = []
    for (const name of APPS) {
      const file = new URL('../apps/node-process.ts', import.meta.url)
      const { program } = await startProgram(file, [name])
      programs.push(program)
      runners.push({ name, run: async (round) => (await program.ask(round)) as RoundResult })
    }
    await look(runners, 'bare')
    return throughputOutcome('Node', await interleaved(runners))
  } finally {
    for (const program of programs) await program.stop()
  }
}

/** What Node and workerd report alike. */
export function throughputOutcome(
  where: string,
  figures: Readonly<Record<string, Throughput>>,
): Outcome {
  const { tidegate, 'hono-rate-limiter': rival } = figures
  const rows = (['many clients', 'one client'] as const).map((mode) => {
    const ours = tidegate?.[`${mode}, ÷ bare`] ?? Number.NaN
    const theirs = rival?.[`${mode}, ÷ bare`] ?? Number.NaN
    return {
      measure: `throughput ÷ bare Hono with as many headers, memory store, ${where}, ${mode}`,
      rivals: `${theirs} (hono-rate-limiter)`,
      target: '≥ 0.85, and ahead of hono-rate-limiter',
      tidegate: `${ours}`,
      met: ours >= 0.85 && ours > theirs,
    }
  })
  return { figures, rows }
}
