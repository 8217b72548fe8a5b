import type { Activity } from './activity.ts'
import type { Agenda } from './agenda.ts'
import type { Ask } from './books.ts'
import { oneWay, roundTrips } from './places.ts'
import { random } from './random.ts'
import type { Scenario } from './scenario.ts'

/** The ways from one isolate to the store. */
export interface Line {
  /** See `Isolate.call`. */
  send<Answer>(ask: Ask, act: (ask: Ask) => Answer | Promise<Answer>): Promise<Answer>
  /** The isolate is gone: no answer comes any more, and half of what is on its way arrives. */
  cut(): void
}

/** All calls to the store; they overtake each other, as HTTP requests do. */
export interface Network {
  line(slot: number): Line
  readonly calls: number
}

export function network(
  { seed, points, trip }: Scenario,
  agenda: Agenda,
  running: Activity,
  /** Hears for whom an answer comes. */
  resume: (ask: Ask) => void,
): Network {
  const usual = roundTrips(points, random(seed, 'points'))
  const jitter = random(seed, 'network')
  const losses = random(seed, 'losses')
  let calls = 0

  function line(slot: number): Line {
    const roundTrip = usual[slot % usual.length] ?? 0
    const way = () => (trip === undefined ? oneWay(roundTrip, jitter) : trip / 2)
    const underWay = new Set<{ lose(): void }>()
    return {
      send(ask, act) {
        calls++
        running.end()
        return new Promise((resolve, reject) => {
          let arrives = true
          const call = {
            lose() {
              arrives = losses.next() < 0.5
              running.begin()
              reject(new Error('the isolate died'))
            },
          }
          underWay.add(call)
          agenda.at(agenda.now() + way(), () => {
            if (!arrives) return
            const answer = act(ask)
            agenda.at(agenda.now() + way(), () => {
              if (!underWay.delete(call)) return
              resume(ask)
              running.begin()
              resolve(answer)
            })
          })
        })
      },
      cut() {
        for (const call of underWay) call.lose()
        underWay.clear()
      },
    }
  }

  return {
    line,
    get calls() {
      return calls
    },
  }
}
