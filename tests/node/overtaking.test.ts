import { describe, expect, test } from 'vitest'
import { memory } from '../../src/stores/memory.ts'
import type { Demand, Grant, Store } from '../../src/stores/store.ts'
import { guarded } from '../support/guarded.ts'
import { everyInterleaving, type Step, type World } from '../support/interleavings.ts'

/** How many orders ended in a window that the isolate must know. */
let certain = 0

const WINDOW = 60_000
const START = 1000
const demand: Demand = { policy: '', client: 'a', limit: 1, window: WINDOW, cost: 1 }

/** A question on its way to the store, or its answer on the way back. */
interface Question {
  readonly name: string
  readonly sentAt: number
  /** When the window ends that the answer is about, once the question was executed. */
  endsAt: number | undefined
  /** Until when that window is certainly open for an isolate that only measures durations. */
  certainUntil: number
  execute(): Promise<void>
  deliver(): void
}

/**
 * One isolate, whose questions and answers overtake each other while windows end. Each question
 * either takes the only unit of its window or finds it taken.
 */
async function makeWorld(): Promise<World> {
  let now = START
  const clock = () => now
  const windows = memory({ clock })
  const wire: Question[] = []
  const delivered: Question[] = []
  let asked = 0
  let pending = [59_991, 60_001]

  const store: Store = {
    guard: 'none',
    take: (demands) =>
      new Promise((resolve) => {
        let grants: readonly Grant[] = []
        const question: Question = {
          name: `question ${++asked}`,
          sentAt: now,
          endsAt: undefined,
          certainUntil: 0,
          async execute() {
            grants = await windows.take(demands)
            const resetIn = grants[0]?.resetIn ?? 0
            question.endsAt = now + resetIn
            question.certainUntil = question.sentAt + resetIn * 0.999 - 1
          },
          deliver() {
            wire.splice(wire.indexOf(question), 1)
            delivered.push(question)
            resolve(grants)
          },
        }
        wire.push(question)
      }),
  }
  const isolate = guarded(store, clock)
  let left = 3
  // Another isolate has opened the window.
  await windows.take([demand])

  /** Whether the last window was certainly seen open, and no older one was asked for later. */
  function isCertain(): boolean {
    const last = Math.max(0, ...delivered.map(({ endsAt = 0 }) => endsAt))
    const seen = delivered.filter(({ endsAt }) => endsAt === last)
    const since = seen[0]?.sentAt ?? 0
    return (
      seen.some(({ certainUntil }) => now < certainUntil) &&
      delivered.every(({ endsAt, sentAt }) => endsAt === last || sentAt <= since)
    )
  }

  return {
    steps() {
      const steps: Step[] = wire.map((question) =>
        question.endsAt === undefined
          ? {
              name: `${question.name} arrives`,
              changes: ['store', question.name],
              reads: ['clock'],
              run: () => void question.execute(),
            }
          : {
              name: `${question.name} is answered`,
              changes: ['isolate', question.name],
              reads: ['clock'],
              run: () => question.deliver(),
            },
      )
      if (left > 0) {
        steps.push({
          name: `the isolate asks (${left} left)`,
          changes: ['isolate'],
          reads: ['clock'],
          run() {
            left--
            void isolate.take([demand])
          },
        })
      }
      const [time] = pending
      if (time !== undefined) {
        steps.push({
          name: `it is ${time} ms`,
          changes: ['clock'],
          run() {
            now = START + time
            pending = pending.slice(1)
          },
        })
      }
      return steps
    },
    async check() {
      if (!isCertain()) return
      certain++
      const before = asked
      const taking = isolate.take([demand])
      expect(asked, 'trips for a client known to be exhausted').toBe(before)
      const [grant] = await taking
      expect(grant).toMatchObject({ granted: 0, source: 'known' })
    },
  }
}

describe('answers that overtake each other', () => {
  test('an answer about a former window never erases what is known of the open one', async () => {
    expect(await everyInterleaving(makeWorld)).toBe(3955)
    expect(certain).toBe(1512)
  }, 60_000)
})
