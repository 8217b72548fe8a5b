/** What every app of the throughput benchmarks is told: never reached, and the same digits throughout. */
export const LIMIT = 1_000_000
/** In ms. */
export const WINDOW = 600_000

/** Whom a request is counted for. Each app reads it as its own guide for Workers says. */
export const CLIENT = 'cf-connecting-ip'
