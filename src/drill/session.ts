import { type Clock, stopwatch, systemClock, systemTimer, type Timer } from '../clock.ts'
import { type Classified, createClassifier } from './classify.ts'
import {
  type HttpFields,
  type HttpResponse,
  type HttpSender,
  TransportError,
} from './http-sender.ts'
import type { Settings } from './options.ts'
import { type ResponseFields, readFields } from './response-fields.ts'

/** Where the drill takes its time from. */
export interface DrillTime {
  /** A clock that never goes back. */
  readonly clock: Clock
  readonly timer: Timer
  /** The machine's time. Read only for dates in epoch time of responses without `Date`. */
  readonly wallClock: Clock
}

export const SYSTEM_TIME: DrillTime = {
  clock: stopwatch,
  timer: systemTimer,
  wallClock: systemClock,
}

/** In what a request differs from the plain request. */
export interface Difference {
  readonly method?: string
  /** The path and the query, sent as they are. */
  readonly path?: string
  readonly headers?: HttpFields
  readonly localAddress?: string
}

/** A response, and what it says about quotas. */
export interface Answer extends HttpResponse, Classified {
  readonly fields: ResponseFields
}

/** Sends the requests of one drill. */
export interface Session {
  /**
   * Sends the plain request. Repeats it once if there is no response. Throws
   * an `OutOfRequests` if no more requests may be sent, and a `TransportError` if the second
   * attempt fails too, or after too many failures.
   */
  send(): Promise<Answer>
  /** Sends a request that differs. Resolves to `undefined` if there is no response. */
  sendVariant(difference: Difference): Promise<Answer | undefined>
  /** Waits until the clock has reached `time`. */
  waitUntil(time: number): Promise<void>
  readonly clock: Clock
  /** How many requests were sent. */
  sent(): number
  /** The codes of requests that got no response and were repeated. */
  failures(): readonly string[]
}

/** How many requests may fail. Each waits for a timeout, so more would take too long. */
const MAX_FAILURES = 5

/** The drill has sent as many requests as it may. */
export class OutOfRequests extends Error {
  override readonly name = 'OutOfRequests'
}

export function startSession(
  sender: HttpSender,
  settings: Settings,
  userAgent: string,
  { clock, timer, wallClock }: DrillTime,
): Session {
  const { url, method, headers, pace, maxRequests } = settings
  const plain = {
    method,
    path: url.pathname + url.search,
    headers: { ...headers, accept: headers.accept ?? '*/*', 'user-agent': userAgent },
  }
  const classify = createClassifier(settings.expect)
  const failures: string[] = []
  let sent = 0
  let nextStart = clock()

  async function waitUntil(time: number): Promise<void> {
    const ms = Math.ceil(time - clock())
    if (ms > 0) await new Promise<void>((resolve) => timer(ms, resolve))
  }

  async function attempt(difference: Difference): Promise<Answer> {
    if (sent >= maxRequests) throw new OutOfRequests()
    await waitUntil(nextStart)
    nextStart = clock() + pace
    sent++
    const all = { ...plain.headers, ...difference.headers }
    const response = await sender({ ...plain, ...difference, headers: all })
    const fields = readFields(response.headers, wallClock())
    return { ...response, ...classify(response.status), fields }
  }

  return {
    clock,
    waitUntil,
    sent: () => sent,
    failures: () => failures,
    async send() {
      try {
        return await attempt({})
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        failures.push(error.message)
        if (failures.length > MAX_FAILURES) throw error
        return attempt({})
      }
    },
    async sendVariant(difference) {
      try {
        return await attempt(difference)
      } catch (error) {
        if (error instanceof TransportError) return undefined
        throw error
      }
    },
  }
}
