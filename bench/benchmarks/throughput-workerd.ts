/**
 * The same in workerd, each app in a workerd of its own. There hono-rate-limiter's memory store
 * does not boot where its guide makes it, at module scope, so it is made inside the first request.
 */
import { startWorker } from '../../scripts/workerd.ts'
import type { RoundResult } from '../apps/round.ts'
import { scriptOf } from '../apps/script.ts'
import { interleaved, look, type Runner } from '../measure/interleaved.ts'
import { premise } from '../measure/premise.ts'
import { startProgram } from '../measure/program.ts'
import type { Outcome } from '../outcome.ts'
import { throughputOutcome } from './throughput.ts'

const APPS = ['bare', 'middleware', 'tidegate', 'hono-rate-limiter']

export async function throughputInWorkerd(): Promise<Outcome> {
  const workers: { stop(): Promise<void> }[] = []
  try {
    const runners: Runner[] = []
    for (const name of APPS) {
      const worker = await startWorker({ script: await scriptOf(name, 'inside a request') })
      workers.push(worker)
      runners.push({
        name,
        async run(round) {
          const answer = await worker.fetch('/', { method: 'POST', body: JSON.stringify(round) })
          premise(answer.ok, `${name} runs in workerd`, answer.status)
          return (await answer.json()) as RoundResult
        },
      })
    }
    await look(runners, 'bare')
    const outcome = throughputOutcome('workerd', await interleaved(runners))
    return { ...outcome, figures: { ...outcome.figures, ...(await whoBoots()) } }
  } finally {
    for (const worker of workers) await worker.stop()
  }
}

/** Whether a limiter with its memory store may be made at module scope, where guides make it. */
async function whoBoots() {
  const told = 'boots with its memory store at module scope'
  return {
    'tidegate, at module scope': { [told]: await boots('tidegate') },
    'hono-rate-limiter, at module scope': { [told]: await boots('hono-rate-limiter') },
  }
}

async function boots(name: string): Promise<string> {
  const file = new URL('../apps/boots.ts', import.meta.url)
  const { program, said, complaints } = await startProgram(file, [name], { quiet: true })
  await program.stop()
  const [reason] = /Disallowed operation called within global scope/.exec(complaints()) ?? []
  return reason ? `${said}: ${reason}` : `${said}`
}
