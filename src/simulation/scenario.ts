export const ARRIVALS = ['poisson', 'even', 'bursts', 'visits'] as const
export const ROUTES = ['uniform', 'turns', 'sticky', 'wandering'] as const

/** A world to run limiters in. Durations are in virtual ms. */
export interface Scenario {
  readonly seed: number
  /** Units per window and client. */
  readonly limit: number
  readonly window: number
  /** Requests per second of all clients together. */
  readonly rate: number
  /**
   * Independent of each other (`poisson`), at equal distances (`even`), a few at a time (`bursts`),
   * or a few at a time of each client (`visits`), whose visits overlap those of other clients.
   */
  readonly arrivals: (typeof ARRIVALS)[number]
  /** How many requests a burst or a visit has on average. */
  readonly burst: number
  /** For how long requests come. */
  readonly duration: number
  /** How many clients there are, each with a key of its own. */
  readonly keys: number
  /** How unequal they are: 0 for all alike, about 1 for the web. */
  readonly zipf: number
  readonly isolates: number
  /** Points of presence, over which the isolates are spread. */
  readonly points: number
  /** The round trip to Redis from everywhere, without jitter, instead of that of each point. */
  readonly trip: number | undefined
  /**
   * Which isolate a request reaches: any (`uniform`), each in turn (`turns`), always its client's
   * (`sticky`), or its client's, who moves on after a while (`wandering`).
   */
  readonly route: (typeof ROUTES)[number]
  /** For how long a wandering client stays at an isolate, on average. */
  readonly stay: number
  /** How long an isolate lives on average; another then starts cold in its place. */
  readonly lifetime: number | undefined
  /** By how much an isolate's clock is wrong at most, either way. */
  readonly skew: number
  /** By how many millionths it is too fast or too slow at most. */
  readonly drift: number
}

export const DEFAULTS: Scenario = {
  seed: 1,
  limit: 10_000,
  window: 60_000,
  rate: 300,
  arrivals: 'poisson',
  burst: 5,
  duration: 150_000,
  keys: 1,
  zipf: 1,
  isolates: 100,
  points: 30,
  trip: undefined,
  route: 'uniform',
  stay: 10_000,
  lifetime: undefined,
  skew: 0,
  drift: 0,
}
