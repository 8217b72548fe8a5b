import { StoreError, type StoreErrorCode } from '../../errors.ts'
import { redactedMessage } from '../../redact.ts'
import { startTimeout } from '../../timer.ts'
import type { TakeOptions } from '../store.ts'
import { type Answer, resultOf, type Send, type SendAll } from './rest.ts'

/** In ms. A leader that is so late to send will not send any more. */
const LATE = 50

/** In ms. A batch that was sent is not waited for longer, by its leader or by anybody else. */
const TIMEOUT = 10_000

/** Commands in one request: far below the 10 MB that Upstash takes. */
const MOST = 1000

/** What became of a batch: plain data, all that may pass from one request to another on Workers. */
type Outcome =
  | { readonly answers: readonly (Answer | undefined)[] }
  | { readonly failed: string; readonly code: StoreErrorCode }

/** A command whose request waits; nothing once that sent it by itself. */
type Waiting =
  | { readonly command: readonly string[]; readonly signal: TakeOptions['signal'] }
  | undefined

interface Batch {
  readonly waiting: Waiting[]
  sent: boolean
  readonly outcome: Promise<Outcome>
}

/**
 * Commands that meet in this isolate within `wait` ms travel in one request. The first of them, the
 * leader, sends it and keeps it alive after its own response, so only requests that can
 * (`waitUntil`) lead or follow. A promise of another request may hang or reject once that has
 * ended, so each follower has a timer of its own, and sends its command by itself if the leader
 * does not come. Where that had sent the batch before it was ended, the command counts twice.
 */
export function batched(send: Send, sendAll: SendAll, wait: number): Send {
  let open: Batch | undefined

  function lead(waitUntil: (work: Promise<unknown>) => void): Batch {
    const waiting: Waiting[] = []
    const outcome = new Promise((resolve) => setTimeout(resolve, wait)).then(() => {
      if (open === batch) open = undefined
      batch.sent = true
      return sendBatch([...waiting], sendAll)
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
    if (batch.waiting.length === MOST) open = undefined
    const outcome = await outcomeFor(batch, wait)
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

/** What the leader brings, or nothing if it does not come. */
async function outcomeFor(batch: Batch, wait: number): Promise<Outcome | undefined> {
  let stop = () => {}
  const patience = new Promise<undefined>((resolve) => {
    const giveUp = () => resolve(undefined)
    stop = startTimeout(wait + LATE, () => {
      if (batch.sent) stop = startTimeout(TIMEOUT, giveUp)
      else giveUp()
    })
  })
  try {
    return await Promise.race([batch.outcome.catch(() => undefined), patience])
  } finally {
    stop()
  }
}

/** Sends the commands of those who wait now, and puts each answer in its command's place. */
async function sendBatch(waiting: readonly Waiting[], sendAll: SendAll): Promise<Outcome> {
  const sent = waiting.map((one) => (one?.signal?.aborted ? undefined : one?.command))
  const abort = new AbortController()
  const stop = startTimeout(TIMEOUT, () => abort.abort())
  try {
    const commands = sent.filter((command) => command !== undefined)
    const answers = await sendAll(commands, abort.signal)
    if (answers.length !== commands.length) {
      throw new StoreError('unreachable', 'a batch without one answer for each command')
    }
    const next = answers.values()
    return { answers: sent.map((command) => (command ? next.next().value : undefined)) }
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'unreachable'
    return { failed: redactedMessage(error), code }
  } finally {
    stop()
  }
}
