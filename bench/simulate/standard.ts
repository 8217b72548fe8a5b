import { MODES, type Mode } from '../../src/simulation/rules/rules.ts'
import { DEFAULTS, type Scenario } from '../../src/simulation/scenario.ts'

/** A scenario of the standard set, and the rules that it is run with. */
export interface Study {
  readonly name: string
  readonly title: string
  readonly modes: readonly Mode[]
  readonly scenario: Scenario
}

const HOUR = 3_600_000

/** Twice the limit is asked for, by a window and its limit. */
const doubled = (isolates: number, limit: number, window: number): Study => ({
  name: `doubled-${isolates}-${window / 1000}s`,
  title: `twice the demand: ${isolates} isolates, limit ${limit} per ${window / 1000} s`,
  modes: ['lease'],
  scenario: {
    ...DEFAULTS,
    limit,
    window,
    isolates,
    rate: (2 * limit * 1000) / window,
    duration: Math.max(2.2 * window, 30_000),
  },
})

/** One person or program, at one isolate at a time, who asks for more than the limit. */
const wandering = (name: string, how: string, given: Partial<Scenario>): Study => ({
  name,
  title: `one client at 1 req/s over 100 isolates, limit 50 per 60 s: ${how}`,
  modes: MODES,
  scenario: { ...DEFAULTS, limit: 50, rate: 1, route: 'wandering', duration: 1.5 * HOUR, ...given },
})

/** What `npm run simulate` runs. */
export const standard = (seed: number): readonly Study[] =>
  STUDIES.map((study) => ({ ...study, scenario: { ...study.scenario, seed } }))

const STUDIES: readonly Study[] = [
  {
    name: 'hot',
    title: 'one isolate at 200 req/s on one key, 30 ms from the store',
    modes: MODES,
    scenario: { ...DEFAULTS, isolates: 1, rate: 200, trip: 30, duration: 130_000 },
  },
  {
    name: 'spread',
    title: '100 isolates at 3 req/s each on one key, from 30 cities',
    modes: MODES,
    scenario: { ...DEFAULTS, isolates: 100, rate: 300, duration: 190_000 },
  },
  ...[1, 10, 100, 1000].map((isolates) => doubled(isolates, 10_000, 60_000)),
  ...[1, 10, 100, 1000].map((isolates) => doubled(isolates, 1000, 10_000)),
  ...[1, 10, 100, 1000].map((isolates) => doubled(isolates, 1000, 2000)),
  wandering('wandering-in-turn', 'each request reaches another', {
    route: 'turns',
    arrivals: 'even',
  }),
  wandering('wandering-even', 'moves on every 10 s, even requests', { arrivals: 'even' }),
  wandering('wandering-poisson', 'moves on every 10 s, requests by chance', {}),
  wandering('wandering-fast', 'moves on every 3 s, requests by chance', { stay: 3000 }),
  wandering('bursts', 'moves on every 10 s, five requests at a time', { arrivals: 'bursts' }),
  {
    name: 'pages',
    title:
      'one client who loads a page of 20 requests every 10 s, limit 100 per 60 s, moves on every 3 s',
    modes: MODES,
    scenario: {
      ...DEFAULTS,
      limit: 100,
      rate: 2,
      arrivals: 'bursts',
      burst: 20,
      route: 'wandering',
      stay: 3000,
      duration: 1.5 * HOUR,
    },
  },
  {
    name: 'storm',
    title: '1000 isolates that live 20 s, clocks wrong by up to an hour, 300 points',
    modes: MODES,
    scenario: {
      ...DEFAULTS,
      isolates: 1000,
      points: 300,
      rate: 500,
      lifetime: 20_000,
      skew: HOUR,
      duration: 130_000,
    },
  },
  {
    name: 'edges',
    title: 'windows of 2 s: 50 isolates that live 5 s, clocks wrong by up to an hour',
    modes: MODES,
    scenario: {
      ...DEFAULTS,
      limit: 500,
      window: 2000,
      isolates: 50,
      rate: 500,
      lifetime: 5000,
      skew: HOUR,
      duration: 60_000,
    },
  },
  {
    name: 'drift',
    title:
      '200 isolates 2 ms from the store, clocks wrong by up to 500 ppm, more than NTP lets them',
    modes: ['strict', 'lease'],
    scenario: {
      ...DEFAULTS,
      limit: 1_000_000,
      isolates: 200,
      rate: 600,
      trip: 2,
      drift: 500,
      duration: 190_000,
    },
  },
  {
    name: 'crowd',
    title: '10,000 isolates in 300 points, 10,000 clients by Zipf, limit 1000 per 10 s',
    modes: MODES,
    scenario: {
      ...DEFAULTS,
      limit: 1000,
      window: 10_000,
      keys: 10_000,
      isolates: 10_000,
      points: 300,
      rate: 2000,
      lifetime: 60_000,
      skew: HOUR,
      duration: 25_000,
    },
  },
]
