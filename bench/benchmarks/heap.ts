/** Heap held after a million different clients, each in a process of its own, after collection. */
import type { Proof } from '../heap/subject.ts'
import { premise } from '../measure/premise.ts'
import { startProgram } from '../measure/program.ts'
import { rounded } from '../measure/statistics.ts'
import type { Outcome } from '../outcome.ts'

const CLIENTS = 1_000_000
const AT_MOST = 8

/** Two at a time: it is not time that is measured. */
const SUBJECTS = {
  'Tidegate, memory()': 'tidegate-memory',
  'Tidegate over a store: windows, exhausted, leases': 'tidegate-store',
  'hono-rate-limiter, MemoryStore': 'hono-rate-limiter',
  'rate-limiter-flexible, RateLimiterMemory': 'rate-limiter-flexible',
  '@upstash/ratelimit, ephemeralCache': 'upstash-ratelimit',
} as const

export async function heap(): Promise<Outcome> {
  const waiting = Object.entries(SUBJECTS)
  const found = new Map<string, number>()
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, file] = next
      found.set(name, await heldBy(name, file))
    }
  }
  await Promise.all([work(), work()])
  const names = Object.keys(SUBJECTS)
  const figures = Object.fromEntries(
    names.map((name) => [name, { 'MB held': found.get(name) ?? Number.NaN }]),
  )
  const of = (ours: boolean) =>
    Object.entries(figures).filter(([name]) => name.startsWith('Tidegate') === ours)
  return {
    figures,
    rows: of(true).map(([name, held]) => ({
      measure: `heap held after 1,000,000 different clients: ${name}`,
      rivals: of(false)
        .map(([rival, { 'MB held': theirs }]) => `${theirs} MB ${rival}`)
        .join(' · '),
      target: `≤ ${AT_MOST} MB over start`,
      tidegate: `${held['MB held']} MB`,
      met: held['MB held'] <= AT_MOST,
    })),
  }
}

async function heldBy(name: string, file: string): Promise<number> {
  const url = new URL('../heap/hold.ts', import.meta.url)
  const { said, program } = await startProgram(url, [file, `${CLIENTS}`], {
    flags: ['--expose-gc'],
  })
  await program.stop()
  const { held, proof } = said as { readonly held: number; readonly proof: Proof }
  premise(proof.last, `${name} remembers the client that asked last`)
  premise(
    proof.first !== name.startsWith('Tidegate'),
    `${name} ${name.startsWith('Tidegate') ? 'forgets' : 'still remembers'} the first of a million`,
  )
  return rounded(held / 1e6)
}
