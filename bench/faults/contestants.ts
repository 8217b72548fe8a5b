/** A limiter as its documentation sets it up for a store that may fail. */
export interface Contestant {
  readonly name: string
  /** What it is called in a crowded table. */
  readonly short: string
  /** The file in `apps`. */
  readonly app: string
  /** How it reaches its store. */
  readonly face: 'http' | 'tcp'
  readonly runtimes: readonly Runtime[]
  readonly isLimiter: boolean
}

export type Runtime = 'node' | 'workerd'

export const BARE: Contestant = {
  name: 'no limiter',
  short: 'no limiter',
  app: 'bare',
  face: 'http',
  runtimes: ['node', 'workerd'],
  isLimiter: false,
}

export const TIDEGATE: Contestant = {
  name: 'Tidegate',
  short: 'Tidegate',
  app: 'tidegate',
  face: 'http',
  runtimes: ['node', 'workerd'],
  isLimiter: true,
}

export const LIMITERS: readonly Contestant[] = [
  TIDEGATE,
  {
    name: '@upstash/ratelimit 2.2.0',
    short: 'Upstash',
    app: 'upstash-ratelimit',
    face: 'http',
    runtimes: ['node', 'workerd'],
    isLimiter: true,
  },
  {
    name: 'hono-rate-limiter 0.5.4',
    short: 'hono-rate-limiter',
    app: 'hono-rate-limiter',
    face: 'http',
    runtimes: ['node', 'workerd'],
    isLimiter: true,
  },
  {
    name: 'Tidegate, TCP',
    short: 'Tidegate, TCP',
    app: 'tidegate-tcp',
    face: 'tcp',
    runtimes: ['node'],
    isLimiter: true,
  },
  {
    name: 'rate-limiter-flexible 11.4, TCP',
    short: 'flexible, TCP',
    app: 'rate-limiter-flexible',
    face: 'tcp',
    runtimes: ['node'],
    isLimiter: true,
  },
]

export const isOurs = ({ app }: Contestant): boolean => app.startsWith('tidegate')
