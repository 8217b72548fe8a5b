import fc from 'fast-check'
import { expect } from 'vitest'
import { type Clock, createLimiter, type Decision, header, type Store } from '../../src/index.ts'
import { settling } from '../../src/settling/settling.ts'
import { memory } from '../../src/stores/memory.ts'
import { manualClock } from '../../src/testing/index.ts'

/** A store, and how to bring the ends of its windows nearer without waiting. */
export interface Place {
  readonly store: Store
  /** The clock of the isolate that calls the store. */
  readonly clock: Clock
  shift(ms: number): Promise<void> | void
}

const SECOND = 1000
const PLANS = { free: { limit: 3 }, pro: { limit: 6 }, long: { limit: 4, window: 45 * SECOND } }

/** A request, or the arguments of `take`: whom it counts, what it costs, and what its client may. */
const ask = {
  client: fc.constantFrom('a', 'b'),
  cost: fc.integer({ min: 0, max: 4 }),
  plan: fc.constantFrom(...Object.keys(PLANS)),
  limit: fc.integer({ min: 1, max: 6 }),
}
/** Which limiter is called: that of three policies, or one of a single policy. */
const limiter = fc.constantFrom('all', 'plain', 'settled')
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      limiter,
      call: fc.constantFrom('take', 'check', 'handle', 'peek', 'wait'),
      ...ask,
      used: fc.constantFrom(0, 0, 2, 5),
    }),
  },
  // Which of the decisions so far, the last one first: again and late, too.
  {
    weight: 3,
    arbitrary: fc.record({ limiter, settle: fc.nat(3), used: fc.constantFrom(0, 0, 1, 3, 7) }),
  },
  { weight: 1, arbitrary: fc.record({ limiter, reset: ask.client }) },
  // With windows of 25 and 45 s nothing is near a boundary, so the time of the test does not matter.
  { weight: 2, arbitrary: fc.record({ shift: fc.constantFrom(10 * SECOND, 20 * SECOND) }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never
type Call = Extract<Step, { readonly call: string }>

const numberIn = (request: Request, name: string) => Number(request.headers.get(name))

/** The limiters of one isolate, and what happens to them. */
function isolate({ store, clock, shift }: Place, run: string) {
  const work: Promise<unknown>[] = []
  const waitUntil = (one: Promise<unknown>) => void work.push(one)
  const shared = {
    client: header('x-client'),
    cost: (request: Request) => numberIn(request, 'x-cost'),
  }
  const plain = {
    ...shared,
    window: 25 * SECOND,
    limit: async (request: Request) => numberIn(request, 'x-limit'),
  }
  const settled = {
    ...shared,
    window: 45 * SECOND,
    limit: 6,
    settle: async (response: Response) => Number(response.headers.get('x-used')),
  }
  const plan = (request: Request) => request.headers.get('x-plan') ?? ''
  const plans = { ...shared, window: 25 * SECOND, plans: PLANS, plan }
  const options = { store: settling(store), clock, onStoreEvent: () => {} }
  const limiters = {
    all: createLimiter({
      ...options,
      policies: [
        { ...plain, name: 'part' },
        { ...plans, name: 'plans' },
        { ...settled, name: 'used' },
      ],
    }),
    plain: createLimiter({ ...options, ...plain, name: 'plain' }),
    settled: createLimiter({ ...options, ...settled, name: 'settled' }),
  }
  const decisions: Record<keyof typeof limiters, Decision[]> = { all: [], plain: [], settled: [] }
  const nameOf = (client: string) => `${client} of ${run}`

  async function decide({ limiter: kind, call, client, used, ...rest }: Call): Promise<Decision> {
    const limiter = limiters[kind]
    const units = { ...rest, waitUntil }
    if (call === 'take' || call === 'peek') return limiter[call](nameOf(client), units)
    // No window ends as soon as this.
    if (call === 'wait') return limiter.wait(nameOf(client), { ...units, max: 500 })
    const { cost, plan, limit } = rest
    const headers = {
      'x-client': nameOf(client),
      'x-cost': `${cost}`,
      'x-plan': plan,
      'x-limit': `${limit}`,
    }
    const request = new Request('https://example.com/', { headers })
    if (call === 'check') return limiter.check(request, { waitUntil })
    let decision: Decision | undefined
    const respond = (seen: Decision) => {
      decision = seen
      return new Response(null, { headers: { 'x-used': `${used}` } })
    }
    const response = await limiter.handle(request, respond, { waitUntil })
    // What `handle` has decided of a refused request is not told.
    return decision ?? { ...REFUSED, retryIn: response.headers.has('retry-after') ? 1 : 0 }
  }

  return {
    /** Does a step, and returns what can be seen of it. */
    async run(step: Step): Promise<Decision | boolean | undefined> {
      if ('shift' in step) return void (await shift(step.shift))
      if ('reset' in step) return void (await limiters[step.limiter].reset(nameOf(step.reset)))
      if ('settle' in step) {
        const decision = decisions[step.limiter].at(-1 - step.settle)
        return decision && limiters[step.limiter].settle(decision, step.used)
      }
      const decision = await decide(step)
      if (decision.allowed && step.call !== 'peek') decisions[step.limiter].push(decision)
      await Promise.all(work.splice(0))
      return decision
    },
  }
}

const REFUSED: Decision = {
  allowed: false,
  policies: [],
  policy: undefined,
  retryIn: 0,
  degraded: false,
  source: 'known',
}

/** For any sequence of calls, limiters over a store decide what they decide over memory. */
export async function expectDecisionsOfMemory(
  place: () => Promise<Place> | Place,
  numRuns: number,
): Promise<void> {
  const steps = fc.array(step, { minLength: 1, maxLength: 16 })
  const property = fc.asyncProperty(steps, async (steps) => {
    const clock = manualClock()
    const run = crypto.randomUUID()
    const model = isolate({ store: memory({ clock }), clock, shift: clock.advance }, run)
    const subject = isolate(await place(), run)
    for (const step of steps) {
      const want = await model.run(step)
      const got = await subject.run(step)
      expect(seen(got, got)).toEqual(seen(want, got))
    }
  })
  // A failure prints its seed and its path, with which `fc.assert` repeats it.
  await fc.assert(property, { numRuns, seed: 20261128 })
}

/**
 * What both must show. An isolate that refuses by itself (`known`) knows nothing of the other
 * policies, and only what it has last seen of this one.
 */
function seen(result: Decision | boolean | undefined, subject: typeof result) {
  if (typeof result !== 'object') return result
  const { allowed, policies, retryIn, degraded, source } = result
  const told = { allowed, degraded, waits: retryIn > 0, isTooMuch: source === 'cost' }
  if (typeof subject !== 'object' || subject.source === 'known') return told
  return { ...told, policies: policies.map(rounded) }
}

/** With times in tens of seconds. */
const rounded = ({ resetIn, retryIn, ...state }: Decision['policies'][number]) => ({
  ...state,
  resetIn: Math.ceil((resetIn - 2) / (10 * SECOND)),
  retryIn: Math.ceil((retryIn - 2) / (10 * SECOND)),
})
