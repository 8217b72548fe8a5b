import { isWrite, parseCommand } from './command.ts'
import { type CallFault, type Fault, NO_FAULT } from './fault.ts'
import { outcomesOf } from './outcome.ts'
import type { Reply } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { Ask, Executed, Scene, Sent, Watcher } from './watcher.ts'

/** A command as words. */
export interface Outgoing extends Sent {
  readonly words: readonly string[]
  /** Aborted when the request gives up on it. */
  readonly signal: AbortSignal | undefined
}

/** The way of one isolate to the server. */
export interface Line {
  /** Notes that an isolate means to send a command, in the name of a request. */
  prepare(words: readonly string[], ask: Ask | undefined, signal: AbortSignal | undefined): Outgoing
  /** Sends commands together. Resolves to the replies, or to nothing if the answer is none. */
  call(
    outgoing: readonly Outgoing[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Reply[] | undefined>
  /** What calls meet from now on. */
  set(fault: Fault): void
  /** The isolate has ended: half of what is on its way arrives, and no answer does. */
  cut(): void
}

/** In ms: how long one call of many may hang. */
const LONGEST_HANG_MS = 2500

export interface LineOptions {
  readonly isolate: number
  readonly scene: Scene
  readonly time: VirtualTime
  readonly watcher: Required<Watcher>
  /** In ms, one way. */
  readonly trip: number
  /** Whether calls share a connection, which keeps their order. Others overtake each other. */
  readonly isOrdered: boolean
  readonly random: () => number
}

export function line(options: LineOptions): Line {
  const { isolate, scene, time, watcher, trip, isOrdered, random } = options
  const { server, now } = scene
  let fault: Fault = NO_FAULT
  let calls = 0
  let isCut = false
  let lastArrival = 0
  let lastReturn = 0
  const hanging = new Set<() => void>()

  const way = () => (isOrdered ? trip : Math.max(1, Math.round(trip * (0.5 + random()))))
  const limitOf = (key: string) => scene.ruleOf(key).limit

  function faultOfCall(): CallFault {
    calls++
    if (fault.kind !== 'some') return fault
    return calls % fault.nth === 0 ? fault.fault : NO_FAULT
  }

  /** Runs a command, unless the server rejects it. */
  async function run(sent: Outgoing, met: CallFault): Promise<Ran> {
    const { command, words } = sent
    if (met.kind === 'error' && !(met.reads && !isWrite(command))) {
      return { sent, reply: { error: met.text }, executed: undefined }
    }
    const executedAt = now()
    const { reply, effects } = server.run(words, command)
    const answer = await reply
    if ('error' in answer) return { sent, reply: answer, executed: undefined }
    const outcomes = outcomesOf(command, effects, answer.result, limitOf)
    const executed = { ...sent, executedAt, outcomes }
    watcher.executed(executed)
    return { sent, reply: answer, executed }
  }

  return {
    prepare(words, ask, signal) {
      const sent = { isolate, ask, command: parseCommand(words), at: now(), words, signal }
      if (!isCut) watcher.sent(sent)
      return sent
    },
    call(outgoing, signal) {
      if (isCut) return new Promise(() => {})
      const met = faultOfCall()
      return new Promise((resolve, reject) => {
        const fail = (words: string) => {
          if (!isCut) reject(new Error(words))
        }
        // A request over HTTP is given up with its check; a command over TCP is not.
        if (!isOrdered) signal?.addEventListener('abort', () => reject(signal.reason))

        function arrive(delay: number) {
          const arrival = Math.max(now() + delay, isOrdered ? lastArrival : 0)
          lastArrival = arrival
          time.timer(arrival - now(), () => {
            if (isCut && random() < 0.5) return
            if (met.kind === 'garbage' && !met.runs) answer(Promise.resolve([]))
            else answer(Promise.all(outgoing.map((one) => run(one, met))))
          })
        }

        function answer(running: Promise<readonly Ran[]>) {
          const delay = way() + (met.kind === 'slow' && met.holds === 'answer' ? met.ms : 0)
          const arrival = Math.max(now() + delay, isOrdered ? lastReturn : 0)
          lastReturn = arrival
          time.timer(arrival - now(), async () => {
            const ran = await running
            if (isCut) return
            if (met.kind === 'lost') return fail('read ECONNRESET')
            if (met.kind === 'garbage') return resolve(undefined)
            for (const { sent, reply, executed } of ran) {
              if ('error' in reply && reply.error.startsWith('NOSCRIPT')) watcher.unknownHash(sent)
              if (sent.signal?.aborted) continue
              if (executed) watcher.answered(executed)
              else if ('error' in reply) watcher.rejected(sent, reply.error)
            }
            resolve(ran.map(({ reply }) => reply))
          })
        }

        if (met.kind === 'refuse') {
          const words = 'connect ECONNREFUSED'
          time.timer(way(), () => {
            for (const sent of isCut ? [] : outgoing) {
              if (!sent.signal?.aborted) watcher.rejected(sent, words)
            }
            fail(words)
          })
        } else if (met.kind !== 'hang') {
          arrive(way() + (met.kind === 'slow' && met.holds === 'call' ? met.ms : 0))
        } else if (met.afterwards !== 'silence') {
          const resume = () => {
            if (!hanging.delete(resume)) return
            if (met.afterwards === 'run') arrive(way())
            else time.timer(way(), () => fail('read ECONNRESET'))
          }
          hanging.add(resume)
          if (fault.kind === 'some') time.timer(LONGEST_HANG_MS, resume)
        }
      })
    },
    set(to) {
      fault = to
      for (const resume of [...hanging]) resume()
    },
    cut() {
      isCut = true
      hanging.clear()
    },
  }
}

interface Ran {
  readonly sent: Outgoing
  readonly reply: Reply
  readonly executed: Executed | undefined
}
