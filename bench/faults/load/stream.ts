import { setTimeout as sleep } from 'node:timers/promises'
import type { Visit } from './visit.ts'

/** Requests at a steady rate, whether earlier ones have been answered or not, as visitors come. */
export interface Stream {
  readonly perSecond: number
  /** In ms before the first one, so that streams do not all start together. */
  readonly offset: number
  /** Ends, at the latest, when this returns true. */
  readonly isOver: () => boolean
  readonly visit: (index: number) => Promise<Visit>
}

/** Resolves to all visits, in the order in which they were sent, once all have been answered. */
export async function run({ perSecond, offset, isOver, visit }: Stream): Promise<readonly Visit[]> {
  const start = performance.now() + offset
  const visits: Promise<Visit>[] = []
  for (;;) {
    const wait = start + (visits.length * 1000) / perSecond - performance.now()
    if (wait > 0) await sleep(wait)
    if (isOver()) return Promise.all(visits)
    visits.push(visit(visits.length))
  }
}
