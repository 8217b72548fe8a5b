import { StoreError, type StoreErrorCode } from '../errors.ts'
import { saidBy } from './redis-error.ts'
import { type Answer, resultOf, type Send, type SendAll } from './rest.ts'

/** In ms. A leader that is so late to send will not send any more. */
const LATE = 50

/** In ms. A batch that was sent is not waited for longer: its leader may have been ended. */
const PATIENCE = 500

/** In ms. A batch that nobody waits for any more ends by itself. */
const TIMEOUT = 10_000

/** Commands in one request: far below the 10 MB that Upstash takes. */
const MOST = 1000

/** What became of a batch: plain data, all that may pass from one request to another on Workers. */
type Outcome =
  | { readonly answers: readonly (Answer | undefined)[] }
  | { readonly failed: string; readonly code: StoreErrorCode }

interface Batch {
  /** Nothing where a request gave up waiting and sent its command by itself. */
  readonly commands: (readonly string[] | undefined)[]
  sent: boolean
  readonly outcome: Promise<Outcome>
}

/**
 * Commands that meet in this isolate within `wait` ms travel in one request. The first of them, the
 * leader, sends it and keeps it alive after its own response, so only requests that can
 * (`waitUntil`) lead or follow. A promise of another request may hang or reject once that has
 * ended, so each follower has a timer of its own, and sends its command by itself if the leader
 * does not come: one that the batch carried all the same then counts twice, and never too little.
 */
export function batched(send: Send, sendAll: SendAll, wait: number): Send {
  let open: Batch | undefined

  function lead(waitUntil: (work: Promise<unknown>) => void): Batch {
    const commands: Batch['commands'] = []
    const outcome = new Promise((resolve) => setTimeout(resolve, wait)).then(() => {
      if (open === batch) open = undefined
      batch.sent = true
      return sendBatch(commands, sendAll)
    })
    const batch: Batch = { commands, sent: false, outcome }
    waitUntil(outcome)
    return batch
  }

  return async (command, options) => {
    if (options?.waitUntil === undefined) return send(command, options)
    open ??= lead(options.waitUntil)
    const batch = open
    const index = batch.commands.push(command) - 1
    if (batch.commands.length === MOST) open = undefined
    const outcome = await outcomeFor(batch, wait)
    if (outcome === undefined) {
      if (open === batch) open = undefined
      batch.commands[index] = undefined
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
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<undefined>((resolve) => {
    const giveUp = () => resolve(undefined)
    timer = setTimeout(() => {
      if (batch.sent) timer = setTimeout(giveUp, PATIENCE)
      else giveUp()
    }, wait + LATE)
  })
  try {
    return await Promise.race([batch.outcome.catch(() => undefined), patience])
  } finally {
    clearTimeout(timer)
  }
}

/** Sends those commands whose requests still wait, and puts each answer in its command's place. */
async function sendBatch(commands: Batch['commands'], sendAll: SendAll): Promise<Outcome> {
  const waiting = commands.filter((command) => command !== undefined)
  try {
    const answers = (await sendAll(waiting, AbortSignal.timeout(TIMEOUT))).values()
    return {
      answers: commands.map((command) => (command ? answers.next().value : undefined)),
    }
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'unreachable'
    return { failed: saidBy(error), code }
  }
}
