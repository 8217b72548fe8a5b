import { assertCount, assertKeys } from '../../checks.ts'
import { systemTimer, type Timer } from '../../clock.ts'
import { withDeadline } from '../../deadline.ts'
import { StoreError, type StoreErrorCode } from '../../errors.ts'
import { redactedMessage } from '../../redact.ts'
import type { TakeOptions } from '../store.ts'
import { type Answer, restPipeline, restSender, resultOf, type Send, type SendAll } from './rest.ts'

/** How much later than planned a leader may send. Followers then send their own commands. */
const LEADER_GRACE_MS = 50

/** How long a leader and its followers wait for the answer to a batch. */
const BATCH_TIMEOUT_MS = 10_000

/** The most commands in one request, far below the 10 MB that Upstash accepts. */
const MAX_COMMANDS = 1000

/** The result of a batch. Plain data: on Workers, requests cannot share other objects. */
type Outcome =
  | { readonly answers: readonly (Answer | undefined)[] }
  | { readonly failed: string; readonly code: StoreErrorCode }

/** A command of a waiting request; `undefined` after the follower has sent its own command. */
type Waiting =
  | { readonly command: readonly string[]; readonly signal: TakeOptions['signal'] }
  | undefined

interface Batch {
  readonly waiting: Waiting[]
  sent: boolean
  readonly outcome: Promise<Outcome>
}

export interface BatchingOptions {
  /** How long the first check waits for others: 0 to 100 ms. */
  readonly wait: number
}

/** Sends commands to a database in batches: what `batching` returns. */
export type Batching = (url: string, token: string, fetcher: typeof fetch) => Send

/**
 * The option `batch` of `upstash`: checks of one isolate that come within `wait` ms share one
 * request. Each check takes that much longer, and is billed as before. Only checks with `waitUntil`
 * take part, which the adapters provide. Throws a `ConfigError` for a wrong `wait`.
 *
 * @example
 * upstash({ url, token }, { batch: batching({ wait: 2 }) })
 */
export function batching(options: BatchingOptions): Batching {
  assertKeys('batching', options, ['wait'])
  const { wait } = options
  assertCount('batching.wait', wait, 0, 100)
  return (url, token, fetcher) =>
    batched(restSender(url, token, fetcher), restPipeline(url, token, fetcher), wait)
}

/**
 * Sends the commands of this isolate that come within `wait` ms in one request. The request of the
 * first command, the leader, sends the batch and keeps it alive after its own response. So only
 * requests with `waitUntil` take part. The leader's promise may hang or reject after its request
 * has ended, so each follower has a timer, and sends its command by itself if the leader is late.
 * If the leader had sent the batch before it ended, that command counts twice.
 */
export function batched(
  send: Send,
  sendAll: SendAll,
  wait: number,
  timer: Timer = systemTimer,
): Send {
  let open: Batch | undefined

  function lead(waitUntil: (work: Promise<unknown>) => void): Batch {
    const waiting: Waiting[] = []
    const outcome = new Promise<void>((resolve) => timer(wait, resolve)).then(() => {
      if (open === batch) open = undefined
      batch.sent = true
      return sendBatch([...waiting], sendAll, timer)
    })
    const batch: Batch = { waiting, sent: false, outcome }
    waitUntil(outcome)
    return batch
  }

  return async (command, options) => {
    if (options?.waitUntil === undefined) return send(command, options)
    open ??= lead(options.waitUntil)
    const batch = open
    const index = batch.waiting.push({ command, signal: options.signal }) - 1
    if (batch.waiting.length === MAX_COMMANDS) open = undefined
    const outcome = await outcomeFor(batch, wait, timer)
    if (outcome === undefined) {
      if (open === batch) open = undefined
      batch.waiting[index] = undefined
      return send(command, options)
    }
    if ('failed' in outcome) throw new StoreError(outcome.code, outcome.failed)
    const answer = outcome.answers[index]
    if (answer === undefined) throw new StoreError('unreachable', 'the batch has no answer for it')
    return resultOf(answer)
  }
}

/** The outcome of a batch, or `undefined` if the leader is late. */
async function outcomeFor(batch: Batch, wait: number, timer: Timer): Promise<Outcome | undefined> {
  const outcomeWithin = (ms: number) =>
    withDeadline(ms, () => batch.outcome, { timer }).catch(() => undefined)
  const outcome = await outcomeWithin(wait + LEADER_GRACE_MS)
  return outcome ?? (batch.sent ? outcomeWithin(BATCH_TIMEOUT_MS) : undefined)
}

/** Sends the commands that are still waiting. Returns each answer at the index of its command. */
async function sendBatch(
  waiting: readonly Waiting[],
  sendAll: SendAll,
  timer: Timer,
): Promise<Outcome> {
  const sent = waiting.map((one) => (one?.signal?.aborted ? undefined : one?.command))
  const commands = sent.filter((command) => command !== undefined)
  if (commands.length === 0) return { answers: [] }
  try {
    const ask = (signal: AbortSignal) => sendAll(commands, signal)
    const answers = await withDeadline(BATCH_TIMEOUT_MS, ask, { timer })
    if (answers.length !== commands.length) {
      throw new StoreError('unreachable', 'the server did not answer each command of the batch')
    }
    const next = answers.values()
    return { answers: sent.map((command) => (command ? next.next().value : undefined)) }
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'unreachable'
    // A follower's request must not show the keys of others.
    return {
      failed: redactedMessage(
        error,
        commands.flatMap(([, ...args]) => args),
      ),
      code,
    }
  }
}
