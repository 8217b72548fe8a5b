import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ManualClock, manualClock } from '../../../src/testing/index.ts'
import { startOrigin } from '../../support/origin.ts'

export const PATH = '/api/user/sync'
export const LIMIT = 10
export const WINDOW_MS = 60_000

/** What a deployment writes into a response. */
interface Decided {
  readonly isRefused: boolean
  readonly remaining: number
  /** Until the window ends, rounded up. */
  readonly seconds: number
}

/** How a deployment differs from one that does everything right. */
export interface Plan {
  readonly limit?: number
  readonly window?: number
  /** How many units a request takes. */
  readonly cost?: number
  /** How many units may be taken in a window. */
  readonly admits?: number
  /**
   * Who is counted.
   * @default the address of the connection
   */
  readonly client?: (request: IncomingMessage) => string
  /** What else is part of the key. */
  readonly keyPart?: (request: IncomingMessage) => string
  /** Whether a request is counted. `opened` is how many windows have begun. */
  readonly isLimited?: (request: IncomingMessage, opened: number) => boolean
  /** Decides in place of the fixed window: how many ms to wait, or 0 if the request passes. */
  readonly waitFor?: (now: number, request: IncomingMessage) => number
  readonly retryAfter?: (seconds: number) => string | undefined
  /** Header fields in place of those of draft 11. */
  readonly fields?: (decided: Decided) => Readonly<Record<string, string>>
  /** @default 429 */
  readonly refusalStatus?: number
  readonly refusalBody?: (decided: Decided) => readonly [type: string, text: string]
  /** @default 'no-store' */
  readonly cacheControl?: string
  /** Answers a request that passed, in place of the handler. Returns whether it did. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** The same before the limiter runs, as a redirect of the platform. */
  readonly answerFirst?: (request: IncomingMessage, response: ServerResponse) => boolean
}

export const draft11 = ({ remaining, seconds }: Decided, limit = LIMIT) => ({
  'RateLimit-Policy': `"sync";q=${limit};w=60`,
  RateLimit: `"sync";r=${remaining};t=${seconds}`,
})

export const problem = ({ seconds }: Decided): readonly [string, string] => [
  'application/problem+json',
  JSON.stringify({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Quota Exceeded',
    status: 429,
    detail: `Try again in ${seconds} seconds.`,
    'violated-policies': ['sync'],
  }),
]

/**
 * A real server on the loopback interface with a fixed window, and the weakness of the plan. Time
 * passes by the clock.
 */
export async function startDeployment(plan: Plan = {}, clock: ManualClock = manualClock()) {
  const { limit = LIMIT, window = WINDOW_MS, admits = limit, cost = 1 } = plan
  const counts = new Map<string, { used: number; readonly end: number }>()
  let opened = 0

  function decide(request: IncomingMessage): Decided {
    const client = plan.client?.(request) ?? `${request.socket.remoteAddress}`
    const key = `${client} ${plan.keyPart?.(request) ?? ''}`
    let count = counts.get(key)
    if (count === undefined || count.end <= clock()) {
      count = { used: 0, end: clock() + window }
      counts.set(key, count)
      opened++
    }
    const seconds = Math.ceil((count.end - clock()) / 1000)
    const isRefused = count.used + cost > admits
    if (!isRefused) count.used += cost
    return { isRefused, remaining: Math.max(0, limit - count.used), seconds }
  }

  const origin = await startOrigin((request, response) => {
    response.sendDate = false
    response.setHeader('Date', new Date(clock()).toUTCString())
    if (plan.answerFirst?.(request, response)) return
    const wait = plan.waitFor?.(clock(), request)
    let decided: Decided | undefined
    if (wait !== undefined) {
      decided = { isRefused: wait > 0, remaining: 0, seconds: Math.ceil(wait / 1000) }
    } else if (plan.isLimited?.(request, opened) ?? true) {
      decided = decide(request)
    }
    if (decided !== undefined) {
      const fields = plan.fields?.(decided) ?? (wait === undefined ? draft11(decided, limit) : {})
      for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
    }
    if (decided?.isRefused) {
      const retryAfter = (plan.retryAfter ?? String)(decided.seconds)
      if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter)
      const [type, text] = (plan.refusalBody ?? problem)(decided)
      response.writeHead(plan.refusalStatus ?? 429, {
        'Content-Type': type,
        'Cache-Control': plan.cacheControl ?? 'no-store',
      })
      response.end(text)
      return
    }
    if (plan.answer?.(request, response)) return
    response.setHeader('Content-Type', 'application/json')
    response.end('{"ok":true}\n')
  })
  return { ...origin, url: origin.url + PATH, clock, forget: () => counts.clear() }
}
