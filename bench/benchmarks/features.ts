/**
 * Billed commands of what a limiter does besides checking requests: each call in a window that is
 * open and that the isolate has seen, and none of them refused.
 */
import { createLimiter } from 'tidegate'
import { settling } from 'tidegate/settle'
import { upstash } from 'tidegate/upstash'
import type { Backend } from '../backend/backend.ts'
import { upstashRatelimitOf } from '../contestants/upstash.ts'
import { premise } from '../measure/premise.ts'
import type { Outcome } from '../outcome.ts'

const WINDOW = 3_600_000
const CALLS = 10
const CLIENT = { plain: 'client' }

export async function features(backend: Backend): Promise<Outcome> {
  const own = await ours(backend)
  const theirs = await rivals(backend)
  const names = Object.keys(own)
  return {
    figures: Object.fromEntries(
      names.map((name) => [
        name,
        { Tidegate: own[name] ?? Number.NaN, '@upstash/ratelimit': theirs[name] ?? '–' },
      ]),
    ),
    rows: names.map((name) => ({
      measure: `billed commands: ${name}`,
      rivals: name in theirs ? `${theirs[name]} Upstash 2.2.0` : '–',
      target: name === PLAIN ? '1' : '–',
      tidegate: `${own[name]}`,
      met: name !== PLAIN || own[name] === 1,
    })),
  }
}

const PLAIN = 'a check of one policy'

type Commands = Record<string, number>

async function ours(backend: Backend): Promise<Commands> {
  const quota = { limit: 1_000, window: WINDOW }
  const store = upstash({ url: backend.near.url, token: backend.near.token })
  const one = createLimiter({ name: 'one', ...quota, client: () => CLIENT, store })
  const two = createLimiter({
    policies: [
      { name: 'user', ...quota },
      { name: 'team', ...quota },
    ],
    store,
  })
  const tokens = createLimiter({ name: 'tokens', ...quota, settle: true, store: settling(store) })
  const request = () => new Request('http://localhost/')
  const clients = { user: CLIENT, team: { plain: 'team' } }
  await backend.empty()
  const each = measureWith(backend)
  const commands: Commands = {
    [PLAIN]: await each(() => one.check(request())),
    'take, cost 1': await each(() => one.take(CLIENT)),
    'take, cost 3': await each(() => one.take(CLIENT, { cost: 3 })),
    'take of two policies, a client for each': await each(() => two.take({ clients })),
    peek: await each(() => one.peek(CLIENT)),
    'wait, with room': await each(() => one.wait(CLIENT, { max: '1s' })),
    'take of a policy with settle': await each(() => tokens.take(CLIENT)),
  }
  const decisions = await Promise.all(Array.from({ length: CALLS + 1 }, () => tokens.take(CLIENT)))
  commands.settle = await each(async () => {
    const decision = decisions.pop()
    premise(decision !== undefined, 'there is a decision for each settlement')
    premise(decision && (await tokens.settle(decision, 0)), 'a settlement changes the count')
  })
  commands.reset = await each(() => one.reset(CLIENT))
  return commands
}

async function rivals(backend: Backend): Promise<Commands> {
  const limiter = upstashRatelimitOf(backend.near, { limit: 1_000, window: WINDOW })
  await backend.empty()
  const each = measureWith(backend)
  return {
    [PLAIN]: await each(() => limiter.limit('client')),
    'take, cost 3': await each(() => limiter.limit('client', { rate: 3 })),
    peek: await each(() => limiter.getRemaining('client')),
    'wait, with room': await each(() => limiter.blockUntilReady('client', 1_000)),
    reset: await each(() => limiter.resetUsedTokens('client')),
  }
}

/** The first call opens the window, and lets the server know the script. It is not counted. */
const measureWith = (backend: Backend) => async (call: () => Promise<unknown>) => {
  await call()
  const { commands } = await backend.count(async () => {
    for (let n = 0; n < CALLS; n++) await call()
  })
  return commands / CALLS
}
