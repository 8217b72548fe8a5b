import type { Clock } from '../clock.ts'
import type { Ask, Books } from './books.ts'

/** What a limiter in an isolate has of the world. */
export interface Isolate {
  /** Wrong by the isolate's skew and drift. */
  readonly clock: Clock
  /**
   * Has the store do something half a trip from now, for the request that runs now, and brings the
   * answer after another half. Throws if the isolate dies meanwhile.
   */
  call<Answer>(act: (ask: Ask) => Answer | Promise<Answer>): Promise<Answer>
  /** Keeps work alive after a response. */
  waitUntil(work: Promise<unknown>): void
}

/** What a rule needs to know besides. */
export interface World {
  readonly limit: number
  /** In ms. */
  readonly window: number
  /** The true time, which is the store's: whole ms since the epoch. */
  readonly now: Clock
  readonly books: Books
}

/** A limiter's way to decide, in every isolate and at the one store. */
export interface Rule {
  /** Commands that the store has billed. */
  billed(): number
  /** A cold limiter. It says whether the request may pass, and tells the books who counted it. */
  start(isolate: Isolate): (ask: Ask) => Promise<boolean>
}

export type MakeRule = (world: World) => Rule
