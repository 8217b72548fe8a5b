/** Names of options in other limiters, and the option that is meant. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
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
