/** One window as a rule means it: of a key, by the true time. */
export interface Window {
  /** Nothing while its end is open. */
  readonly endsAt: number | undefined
}

/** One request on its way through a limiter. */
export interface Ask {
  readonly client: string
  readonly at: number
  /** Calls to the store on its behalf. */
  trips: number
  /** The window that has counted it. */
  countedIn: Window | undefined
  /** The window that had no room for it. */
  fullIn: Window | undefined
  /** Whether there was room when it was refused. */
  hadRoom: boolean
  /** Whether its limiter has decided. */
  settled: boolean
}

/** What became of a window. */
export interface Count {
  asked: number
  admitted: number
}

/** What became of all requests. */
export interface Sums {
  admitted: number
  refused: number
  /** Their isolate died before it decided. */
  lost: number
  /** Refused although fewer than the limit had been admitted. */
  unfair: number
  /** Admitted on no unit of an open window. */
  unbacked: number
  /** Calls to the store that requests waited for. */
  trips: number
  /** Admitted requests by what the limiter added to them, in tenths of ms. */
  readonly latencies: Uint32Array
}

/** Keeps account of what a limiter did, by the true time and whatever it says itself. */
export interface Books {
  readonly windows: ReadonlyMap<Window, Readonly<Count>>
  readonly sums: Readonly<Sums>
  open(client: string, now: number): Ask
  /** A unit was counted for a request: it will be admitted, unless its isolate dies first. */
  counted(ask: Ask, window: Window): void
  /** A request found no room in a window; nothing where none is open. */
  full(ask: Ask, window: Window | undefined): void
  settle(ask: Ask, allowed: boolean, now: number): void
  /** Its isolate died before it decided. */
  lose(ask: Ask): void
}

/** In tenths of ms: whatever takes longer counts as this. */
const LONGEST = 20_000

export function books(limit: number): Books {
  const windows = new Map<Window, Count>()
  const sums: Sums = {
    admitted: 0,
    refused: 0,
    lost: 0,
    unfair: 0,
    unbacked: 0,
    trips: 0,
    latencies: new Uint32Array(LONGEST + 1),
  }

  function countOf(window: Window): Count {
    let count = windows.get(window)
    if (count === undefined) {
      count = { asked: 0, admitted: 0 }
      windows.set(window, count)
    }
    return count
  }

  /** A unit that was counted, and spent on nothing. */
  function waste({ countedIn }: Ask): void {
    if (countedIn) countOf(countedIn).admitted--
  }

  return {
    windows,
    sums,
    open: (client, at) => ({
      client,
      at,
      trips: 0,
      countedIn: undefined,
      fullIn: undefined,
      hadRoom: false,
      settled: false,
    }),
    counted(ask, window) {
      ask.countedIn = window
      countOf(window).admitted++
    },
    full(ask, window) {
      ask.fullIn = window
      ask.hadRoom = window === undefined || countOf(window).admitted < limit
    },
    settle(ask, allowed, now) {
      ask.settled = true
      // What was decided at once waited for nothing, though a call may have been made behind it.
      if (now > ask.at) sums.trips += ask.trips
      const window = allowed ? ask.countedIn : ask.fullIn
      if (window) countOf(window).asked++
      if (allowed) {
        sums.admitted++
        if (window === undefined) sums.unbacked++
        const tenths = Math.min(Math.round(10 * (now - ask.at)), LONGEST)
        sums.latencies[tenths] = (sums.latencies[tenths] ?? 0) + 1
      } else {
        sums.refused++
        if (ask.hadRoom) sums.unfair++
        waste(ask)
      }
    },
    lose(ask) {
      ask.settled = true
      sums.lost++
      waste(ask)
    },
  }
}
