import { setTimeout as sleep } from 'node:timers/promises'
import { premise } from './premise.ts'

/** One check: what it answered, and how long it took. */
export interface Timed<Answer> {
  readonly answer: Answer
  readonly ms: number
}

/**
 * Begins `rate` checks a second for some seconds by the real clock, whether earlier ones have
 * answered or not, as visitors do.
 */
export async function openLoop<Answer>(
  rate: number,
  seconds: number,
  check: () => Promise<Answer>,
): Promise<readonly Timed<Answer>[]> {
  const total = rate * seconds
  const start = performance.now()
  const begun: Promise<Timed<Answer>>[] = []
  while (begun.length < total) {
    const wait = start + (begun.length * 1000) / rate - performance.now()
    if (wait > 0) await sleep(wait)
    begun.push(timed(check))
  }
  const took = (performance.now() - start) / 1000
  premise(took < seconds * 1.2, `${total} checks begin within ${seconds} s`, took)
  return Promise.all(begun)
}

async function timed<Answer>(check: () => Promise<Answer>): Promise<Timed<Answer>> {
  const start = performance.now()
  const answer = await check()
  return { answer, ms: performance.now() - start }
}
