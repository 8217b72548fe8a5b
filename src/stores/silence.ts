import { stopwatch } from '../clock.ts'
import { startTimeout } from '../timeout.ts'

/** Waits for an answer of the watched connection, and returns it. */
export type Listen = <Answer>(answer: Answer | Promise<Answer>) => Promise<Answer>

/** What is used of a client of ioredis. */
interface Connection {
  readonly stream: { destroy(error: Error): unknown }
  on(event: 'connect', listener: () => void): unknown
  once(event: 'ready' | 'close', listener: () => void): unknown
}

/**
 * Closes the connection when answers are waited for and none has come for `ms`. The `socketTimeout` of
 * ioredis does the same, but takes the time in which this process was busy for silence of the server.
 * The handshake is watched too; what else is waited for goes through the function that this returns.
 */
export function watchSilence(connection: Connection, ms: number): Listen {
  let waiting = 0
  let heardAt = 0
  let stop: (() => void) | undefined

  function startTimer(left: number): void {
    stop = startTimeout(left, () => {
      const more = heardAt + ms - stopwatch()
      if (more > 0) return startTimer(more)
      stop = undefined
      connection.stream.destroy(new Error(`no answer within ${ms} ms`))
    })
  }

  const listen: Listen = async (answer) => {
    waiting++
    if (stop === undefined) {
      heardAt = stopwatch()
      startTimer(ms)
    }
    try {
      return await answer
    } finally {
      waiting--
      heardAt = stopwatch()
      if (waiting === 0) {
        stop?.()
        stop = undefined
      }
    }
  }

  connection.on('connect', () => {
    const handshake = new Promise<void>((resolve) => {
      connection.once('ready', resolve)
      connection.once('close', resolve)
    })
    void listen(handshake)
  })
  return listen
}
