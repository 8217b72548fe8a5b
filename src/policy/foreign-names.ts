/** Names of options in other rate limiters, and the option of Tidegate that is meant. */
export const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  max: 'limit',
  points: 'limit',
  windowMs: 'window',
  duration: 'window',
  interval: 'window',
  timeWindow: 'window',
  keyGenerator: 'client',
  skip: 'match',
  prefix: 'prefix of the store',
  keyPrefix: 'prefix of the store',
  standardHeaders: 'headers',
}
