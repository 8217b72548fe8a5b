import { type Clock, systemTimer, type Timer } from '../clock.ts'
import { withDeadline } from '../deadline.ts'

/** How long to wait before each further attempt. After the last one the message is dropped. */
const RETRY_DELAYS_MS = [1000, 5000, 15_000, 60_000, 120_000, 300_000]
const MAX_DELAY_MS = 300_000
const TIMEOUT_MS = 10_000

/** How many messages wait while the webhook is away. The oldest is dropped for a further one. */
const MAX_WAITING = 20

export interface WebhookOptions {
  /** A secret: whoever knows it can post. It is never in a text for `notify`. */
  readonly url: URL
  /** Gets a sentence about each message that is late or lost. */
  notify(problem: string): void
  readonly fetch: typeof fetch
  readonly clock?: Clock
  readonly timer?: Timer
}

export interface Webhook {
  /** Sends a message after those that wait. Returns at once, and never throws. */
  send(message: object): void
}

/** Why an attempt failed. */
interface Problem {
  readonly says: string
  /** Whether another attempt may succeed. */
  readonly canRetry: boolean
  /** What the webhook demands. */
  readonly retryAfterMs?: number
}

/**
 * Posts messages as JSON, one after another and in order. An attempt without an answer of 2xx is
 * repeated, seven times in about ten minutes. A webhook that answers after its timeout may get a
 * message twice.
 */
export function createWebhook(options: WebhookOptions): Webhook {
  const { url, notify, fetch: fetcher, timer = systemTimer } = options
  const waiting: string[] = []
  let isSending = false

  async function post(body: string): Promise<Problem | undefined> {
    try {
      const send = (signal: AbortSignal) => fetcher(url, requestOf(body, signal))
      const response = await withDeadline(TIMEOUT_MS, send, options)
      // The connection is free for the next message only without an unread body.
      response.body?.cancel().catch(() => {})
      return response.ok ? undefined : problemOf(response)
    } catch (error) {
      return { says: reasonOf(error), canRetry: true }
    }
  }

  async function deliver(body: string): Promise<void> {
    for (const delay of [...RETRY_DELAYS_MS, undefined]) {
      const problem = await post(body)
      if (problem === undefined) return
      const { says, canRetry, retryAfterMs = 0 } = problem
      if (!canRetry || delay === undefined) {
        notify(`the webhook did not take a message, which is lost: ${says}`)
        return
      }
      const wait = Math.min(Math.max(delay, retryAfterMs), MAX_DELAY_MS)
      notify(`the webhook did not take a message: ${says}. The next attempt is in ${wait / 1000} s`)
      await new Promise<void>((resolve) => timer(wait, resolve))
    }
  }

  async function sendWaiting(): Promise<void> {
    isSending = true
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) await deliver(body)
    isSending = false
  }

  return {
    send(message) {
      waiting.push(JSON.stringify(message))
      if (waiting.length > MAX_WAITING) {
        waiting.shift()
        notify(`more than ${MAX_WAITING} messages wait for the webhook: the oldest is lost`)
      }
      if (!isSending) void sendWaiting()
    },
  }
}

const requestOf = (body: string, signal: AbortSignal): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body,
  // A redirected POST becomes a GET, and its message would be lost in silence.
  redirect: 'manual',
  signal,
})

function problemOf({ status, headers }: Response): Problem {
  const seconds = Number(headers.get('retry-after'))
  return {
    says: `it answered ${status}`,
    canRetry: status === 408 || status === 429 || status >= 500,
    ...(seconds > 0 && { retryAfterMs: Math.ceil(seconds * 1000) }),
  }
}

/** A code alone: the message of an error may quote the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be reached'
  if ('code' in error && error.code === 'timeout') return `no answer within ${TIMEOUT_MS / 1000} s`
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
  return `it cannot be reached${code}`
}
