/** What other limiters call an option of this one. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
  max: 'limit',
  points: 'limit',
  requests: 'limit',
  windowMs: 'window',
  duration: 'window',
  interval: 'window',
  timeWindow: 'window',
  keyGenerator: 'client',
  identifier: 'client',
  skip: 'match',
  prefix: 'prefix of the store, as in upstash({ … }, { prefix })',
  standardHeaders: 'headers',
  legacyHeaders: 'headers',
}
