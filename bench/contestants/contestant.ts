import type { Place } from '../backend/backend.ts'

export interface Quota {
  /** Requests per window. */
  readonly limit: number
  /** In ms. */
  readonly window: number
}

export interface Answer {
  readonly allowed: boolean
  /** Who decided, where the limiter says so. */
  readonly source?: string | undefined
}

/** One limiter in one isolate, this process, as its own guide sets it up. */
export interface Limited {
  check(client: string): Promise<Answer>
  /** Trips to the store that did not go over HTTP. */
  readonly socketTrips?: () => number
  /** Waits for what was left to run after the answers. */
  settle?(): Promise<void>
  stop?(): Promise<void>
}

export interface Contestant {
  readonly name: string
  /** What it is called in a crowded table. */
  readonly short: string
  /** Whether it counts every request that passes: two at once never read the same count. */
  readonly atomic: boolean
  limit(place: Place, quota: Quota): Promise<Limited>
}
