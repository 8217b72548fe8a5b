/** What happens when, in virtual ms from the start. */
export interface Agenda {
  /** The time of what happens now. */
  now(): number
  /** Has `act` happen at `time`; of what happens at one time, what was written down first. */
  at(time: number, act: () => void): void
  /** Lets the next thing happen. False when there is none. */
  step(): boolean
}

interface Entry {
  readonly time: number
  readonly order: number
  readonly act: () => void
}

/** A binary heap, the next entry on top. */
export function agenda(): Agenda {
  const heap: Entry[] = []
  let now = 0
  let order = 0

  const isBefore = (a: Entry, b: Entry) =>
    a.time < b.time || (a.time === b.time && a.order < b.order)

  function push(entry: Entry): void {
    let place = heap.length
    while (place > 0) {
      const up = (place - 1) >> 1
      const above = heap[up]
      if (above === undefined || isBefore(above, entry)) break
      heap[place] = above
      place = up
    }
    heap[place] = entry
  }

  function pop(): Entry | undefined {
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let place = 0
    for (;;) {
      const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]]
      const goRight = left && right && isBefore(right, left)
      const below = goRight ? right : left
      if (below === undefined || isBefore(last, below)) break
      heap[place] = below
      place = 2 * place + (goRight ? 2 : 1)
    }
    heap[place] = last
    return top
  }

  return {
    now: () => now,
    at: (time, act) => push({ time: Math.max(time, now), order: order++, act }),
    step() {
      const entry = pop()
      if (entry === undefined) return false
      now = entry.time
      entry.act()
      return true
    },
  }
}
