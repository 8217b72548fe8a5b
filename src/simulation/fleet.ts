import { type Activity, activity } from './activity.ts'
import type { Agenda } from './agenda.ts'
import type { Ask, Books } from './books.ts'
import type { Isolate, Rule } from './isolate.ts'
import { type Network, network } from './network.ts'
import { type Random, random } from './random.ts'
import type { Scenario } from './scenario.ts'

/** When a run begins, in ms since the epoch: no window of a round length begins with it. */
export const START = Date.UTC(2026, 0, 1, 0, 0, 17)

/** All isolates. */
export interface Fleet {
  /** A request reaches the isolate in a slot. */
  arrive(client: string, slot: number): void
  /** Whether nothing follows from the last event any more. */
  readonly idle: boolean
  /** Lets everything follow that the last event led to. */
  settle(): Promise<void>
  /** Calls to the store, also those that no request waited for. */
  readonly calls: number
}

export function fleet(scenario: Scenario, agenda: Agenda, books: Books, rule: Rule): Fleet {
  const { seed, isolates, lifetime, duration } = scenario
  const clocks = random(seed, 'clocks')
  const deaths = random(seed, 'deaths')
  const running = activity()
  const slots: ReturnType<typeof begin>[] = []
  /** The request in whose name code runs now. */
  let current: Ask | undefined
  let failure: unknown
  const wires: Network = network(scenario, agenda, running, (ask) => {
    current = ask
  })

  function begin(slot: number) {
    const line = wires.line(slot)
    const asking = new Set<Ask>()
    let alive = true

    const isolate: Isolate = {
      clock: clockOf(scenario, agenda, clocks),
      waitUntil: (work) => watch(running, work),
      call(act) {
        const ask = current
        if (!alive || ask === undefined) return Promise.reject(new Error('the isolate is dead'))
        ask.trips++
        return line.send(ask, act)
      },
    }
    const check = rule.start(isolate)

    return {
      take(client: string) {
        const ask = books.open(client, agenda.now())
        current = ask
        asking.add(ask)
        const decided = check(ask).then(
          (allowed) => {
            if (asking.delete(ask)) books.settle(ask, allowed, agenda.now())
          },
          (error: unknown) => {
            if (alive) failure ??= error
          },
        )
        watch(running, decided)
      },
      die() {
        alive = false
        for (const ask of asking) books.lose(ask)
        asking.clear()
        line.cut()
      },
    }
  }

  /** Isolates die until no more requests come; the next request starts another in their place. */
  function doom(slot: number, mean: number): void {
    const time = agenda.now() + deaths.wait(mean)
    if (time >= duration) return
    agenda.at(time, () => {
      slots[slot]?.die()
      delete slots[slot]
      doom(slot, mean)
    })
  }
  if (lifetime !== undefined) for (let slot = 0; slot < isolates; slot++) doom(slot, lifetime)

  return {
    arrive(client, slot) {
      slots[slot] ??= begin(slot)
      slots[slot].take(client)
    },
    get idle() {
      return running.idle && failure === undefined
    },
    async settle() {
      await running.settle()
      if (failure !== undefined) throw failure
    },
    get calls() {
      return wires.calls
    },
  }
}

/** A clock that shows whole ms, off by as much as the scenario lets it be. */
function clockOf({ skew, drift }: Scenario, agenda: Agenda, chance: Random): () => number {
  const offset = START + skew * (2 * chance.next() - 1)
  const pace = 1 + (drift / 1e6) * (2 * chance.next() - 1)
  return () => Math.floor(offset + agenda.now() * pace)
}

function watch(running: Activity, work: Promise<unknown>): void {
  running.begin()
  work.then(running.end, running.end)
}
