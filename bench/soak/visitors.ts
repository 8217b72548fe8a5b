import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, random } from '../../src/simulation/random.ts'
import { address } from '../measure/address.ts'
import type { Answered } from './late-checks.ts'
import { CLIENT_FIELD, INSIDE_FIELD, LIMITED_PATHS, type LimitedPath } from './paths.ts'

/** Requests at a steady rate, whether earlier ones have been answered or not. */
export interface Visitors {
  /** Requests sent so far. */
  readonly sent: number
  /** Requests without an answer so far. */
  readonly underWay: number
  /** Requests that were due and not sent, since too many were without an answer. */
  readonly heldBack: number
  /** Answers by status; requests that got none are 'no answer'. */
  readonly statuses: Readonly<Record<string, number>>
  /** What the first responses of 500 and above said. */
  readonly failures: readonly string[]
  /** The answers since the last call. */
  takeAnswered(): readonly Answered[]
  /** Sends no more. Resolves once all have been answered. */
  stop(): Promise<void>
}

const TICK_MS = 10
/** So many requests may be without an answer: those of two seconds, twice what a check waits. */
const MOST_SECONDS_UNDER_WAY = 2
/** Of visitors to one isolate. After a fault the others are closed, and do not hide a leak. */
const MOST_IDLE_CONNECTIONS = 16
const PATIENCE_MS = 30_000
const KEPT_FAILURES = 20
/**
 * Half of the requests come from a few busy clients, of which the first are the busiest; others from
 * clients that come now and then; and the rest from clients that come some times and then never
 * again, so that what they leave in the store has to end by itself.
 */
const BUSY = 20
const BUSY_SHARE = 0.5
const KNOWN = 2000
const KNOWN_SHARE = 0.25
const PASSING_AT_ONCE = 100
const VISITS_OF_PASSING = 5
/** Objects remember few keys for long, so they are asked about few clients. */
const CLIENTS_OF_OBJECTS = 200

/** A request to send. */
interface Visit {
  readonly isolate: number
  readonly path: LimitedPath
  readonly client: string
}

export interface VisitorsOptions {
  readonly rate: number
  readonly seed: number
  /** @default all paths */
  readonly paths?: readonly LimitedPath[] | undefined
}

export function startVisitors(
  urls: readonly string[],
  { rate, seed, paths = LIMITED_PATHS }: VisitorsOptions,
): Visitors {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: MOST_IDLE_CONNECTIONS })
  const statuses: Record<string, number> = {}
  const failures: string[] = []
  let answered: Answered[] = []
  let sent = 0
  let underWay = 0
  let heldBack = 0
  const nextVisit = visitsBy(random(seed, 'visitors'), urls.length, paths)

  function visit(): void {
    const { isolate, path, client } = nextVisit()
    const start = performance.now()
    sent++
    underWay++
    let isNoted = false
    const note = (status: string, text: string) => {
      if (isNoted) return
      isNoted = true
      underWay--
      statuses[status] = (statuses[status] ?? 0) + 1
      const isFailure = !(Number(status) < 500)
      if (isFailure && failures.length < KEPT_FAILURES) failures.push(`/${path}: ${status} ${text}`)
    }
    const options = { agent, headers: { [CLIENT_FIELD]: client }, timeout: PATIENCE_MS }
    const request = get(`${urls[isolate]}/${path}`, options, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => {
        note(`${response.statusCode}`, body.slice(0, 300))
        const inside = Number(response.headers[INSIDE_FIELD])
        answered.push({ path, isolate, sent: start, ended: performance.now(), inside })
      })
      response.on('error', (error) => note('no answer', error.message))
    })
    request.on('timeout', () => request.destroy(new Error('timed out')))
    request.on('error', (error) => note('no answer', error.message))
  }

  let isOver = false
  async function send(): Promise<void> {
    const start = performance.now()
    for (let due = 0; !isOver; await sleep(TICK_MS)) {
      const total = ((performance.now() - start) * rate) / 1000
      // After a stall of this process, visitors that did not come are not sent at once.
      if (total - due > rate / 4) due = total - rate / 4
      for (; due < total; due++) {
        if (underWay < MOST_SECONDS_UNDER_WAY * rate) visit()
        else heldBack++
      }
    }
  }
  const sending = send()

  return {
    get sent() {
      return sent
    },
    get underWay() {
      return underWay
    },
    get heldBack() {
      return heldBack
    },
    statuses,
    failures,
    takeAnswered() {
      const taken = answered
      answered = []
      return taken
    },
    async stop() {
      isOver = true
      await sending
      while (underWay > 0) await sleep(TICK_MS)
      agent.destroy()
    },
  }
}

/** Draws visits by chance. */
function visitsBy(chance: Random, isolates: number, paths: readonly LimitedPath[]): () => Visit {
  const passing: { readonly visit: Visit; left: number }[] = []
  let met = KNOWN

  const from = (client: string): Visit => {
    const path = paths[chance.below(paths.length)] ?? 'strict'
    const isObject = path === 'object'
    return {
      isolate: chance.below(isolates),
      path,
      client: isObject ? address(chance.below(CLIENTS_OF_OBJECTS)) : client,
    }
  }

  return () => {
    const draw = chance.next()
    if (draw < BUSY_SHARE) return from(address(Math.floor(BUSY * chance.next() ** 2)))
    if (draw < BUSY_SHARE + KNOWN_SHARE) return from(address(chance.below(KNOWN)))
    const place = chance.below(PASSING_AT_ONCE)
    const client = passing[place]
    if (client !== undefined && client.left > 0) {
      client.left--
      return client.visit
    }
    const visit = from(address(met++))
    passing[place] = { visit, left: VISITS_OF_PASSING - 1 }
    return visit
  }
}
