import type { Agenda } from './agenda.ts'
import { type Random, random } from './random.ts'
import type { Scenario } from './scenario.ts'

/** How many ms lie between the requests of a burst or a visit on average: a page that loads. */
const WITHIN = 100

/** Sends requests, open loop: whatever becomes of them, the next come when they come. */
export function demand(
  scenario: Scenario,
  agenda: Agenda,
  arrive: (client: string, slot: number) => void,
): void {
  const { seed, arrivals, burst, rate, duration } = scenario
  const chance = random(seed, 'arrivals')
  const nextClient = clients(scenario, random(seed, 'clients'))
  const nextSlot = routing(scenario, agenda, random(seed, 'routes'))
  const gap = 1000 / rate

  /** Visits begin by chance, and overlap. The next visit may be of the same client. */
  function visits(time: number): void {
    if (time >= duration) return
    agenda.at(time, () => {
      visit(nextClient(), time)
      visits(time + chance.wait(burst * gap))
    })
  }
  function visit(client: string, time: number): void {
    if (time >= duration) return
    agenda.at(time, () => {
      arrive(client, nextSlot(client))
      if (chance.next() >= 1 / burst) visit(client, time + chance.wait(WITHIN))
    })
  }
  if (arrivals === 'visits') {
    visits(chance.wait(burst * gap))
    return
  }

  const wait = {
    even: () => gap,
    poisson: () => chance.wait(gap),
    bursts: () =>
      chance.next() < 1 / burst
        ? chance.wait(Math.max(0, gap - WITHIN) * burst + WITHIN)
        : chance.wait(WITHIN),
  }[arrivals]

  function next(time: number): void {
    if (time >= duration) return
    agenda.at(time, () => {
      const client = nextClient()
      arrive(client, nextSlot(client))
      next(time + wait())
    })
  }
  next(chance.next() * gap)
}

/** Who asks next: the n-th client asks n^zipf times less often than the first. */
function clients({ keys, zipf }: Scenario, chance: Random): () => string {
  const names = Array.from({ length: keys }, (_, index) => `client-${index + 1}`)
  const [only = ''] = names
  if (keys === 1) return () => only
  let sum = 0
  const sums = Float64Array.from(names, (_, index) => {
    sum += (index + 1) ** -zipf
    return sum
  })
  return () => {
    const drawn = chance.next() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) <= drawn) low = middle + 1
      else high = middle
    }
    return names[low] ?? only
  }
}

/** Which isolate a client's request reaches. */
function routing(
  { route, isolates, stay }: Scenario,
  agenda: Agenda,
  chance: Random,
): (client: string) => number {
  const at = new Map<string, { slot: number; until: number }>()
  let turn = 0
  switch (route) {
    case 'uniform':
      return () => chance.below(isolates)
    case 'turns':
      return () => turn++ % isolates
    case 'sticky':
    case 'wandering':
      return (client) => {
        const now = agenda.now()
        let place = at.get(client)
        if (place === undefined || now >= place.until) {
          const until = route === 'sticky' ? Number.POSITIVE_INFINITY : now + chance.wait(stay)
          place = { slot: chance.below(isolates), until }
          at.set(client, place)
        }
        return place.slot
      }
  }
}
