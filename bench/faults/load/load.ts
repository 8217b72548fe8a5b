import type { Fleet } from '../fleet/fleet.ts'
import { run } from './stream.ts'
import type { Visit, Visitors } from './visit.ts'

/** The visitors of one limiter. */
export interface Load {
  /** Warms each isolate up, and uses the units of the clients that have used some. */
  prepare(): Promise<void>
  /** Sends requests until it is over. Resolves when all have been answered. */
  start(isOver: () => boolean): Promise<Visits>
}

export interface Visits {
  /** Requests of many clients to each isolate; to the first one, more. */
  readonly many: readonly (readonly Visit[])[]
  /** Requests of a client that comes when the store goes away. */
  readonly fresh: Spread
  /** Requests of a client that had used `USED` units when the store went away. */
  readonly used: Spread
  /** What each isolate had not seen used of the limit of `used.all`, as it said itself. */
  readonly unseen: readonly number[]
}

/** Requests of a client that visits the first isolate, and of another one that visits all. */
export interface Spread {
  readonly one: readonly Visit[]
  readonly all: readonly Visit[]
}

/** How many of its units the used client has used before. */
export const USED = 90

/** Requests per second to an isolate. */
const RATES = { many: 30, others: 5, freshOne: 11, freshAll: 11, usedOne: 2, usedAll: 2 }
const WARM_UP_MS = 1000

/** @param phase from 0 to 1, so that the requests to several limiters do not come together */
export function loadOf({ urls, contestant }: Fleet, { visit }: Visitors, phase: number): Load {
  const [first = ''] = urls
  const id = crypto.randomUUID()
  const usedOne = `${id}-used-one`
  const usedAll = `${id}-used-all`
  let unseen: readonly number[] = []

  const send = (
    perSecond: number,
    url: string,
    client: (index: number) => string,
    isOver: () => boolean,
  ) =>
    run({
      perSecond,
      offset: (phase * 1000) / perSecond,
      isOver,
      visit: (index) => visit(url, client(index)),
    })

  const manyTo = (url: string, at: number, isOver: () => boolean) =>
    send(at === 0 ? RATES.many : RATES.others, url, (index) => `${id}-${at}-${index % 30}`, isOver)

  const toEach = async (perSecond: number, client: string, isOver: () => boolean) =>
    (await Promise.all(urls.map((url) => send(perSecond, url, () => client, isOver)))).flat()

  return {
    async prepare() {
      const isWarm = after(WARM_UP_MS)
      const warming = urls.map((url, at) => manyTo(url, at, isWarm))
      if (contestant.isLimiter) {
        for (let times = 0; times < USED; times++) await visit(first, usedOne)
        for (let times = 0; times < USED - urls.length; times++) await visit(first, usedAll)
        // Each isolate sees about as many used.
        const seen: Visit[] = []
        for (const url of [...urls.slice(1), first]) seen.push(await visit(url, usedAll))
        unseen = seen.map(({ left = 0 }) => left)
      }
      await Promise.all(warming)
    },

    async start(isOver) {
      const many = Promise.all(urls.map((url, at) => manyTo(url, at, isOver)))
      if (!contestant.isLimiter) {
        return { many: await many, fresh: NOBODY, used: NOBODY, unseen: [] }
      }
      const freshOne = send(RATES.freshOne, first, () => `${id}-fresh-one`, isOver)
      const freshAll = toEach(RATES.freshAll, `${id}-fresh-all`, isOver)
      const usedByOne = send(RATES.usedOne, first, () => usedOne, isOver)
      const usedByAll = toEach(RATES.usedAll, usedAll, isOver)
      return {
        many: await many,
        fresh: { one: await freshOne, all: await freshAll },
        used: { one: await usedByOne, all: await usedByAll },
        unseen,
      }
    },
  }
}

const NOBODY: Spread = { one: [], all: [] }

function after(ms: number): () => boolean {
  const end = performance.now() + ms
  return () => performance.now() > end
}
