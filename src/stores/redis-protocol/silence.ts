import { stopwatch } from '../../clock.ts'
import { startTimeout } from '../../timer.ts'

/** Waits for an answer of the watched connection, and returns it. */
export type Listen = <Answer>(answer: Answer | Promise<Answer>) => Promise<Answer>

/** The members of a client of ioredis that are used here. */
interface Connection {
  readonly stream: { destroy(error: Error): unknown }
  on(event: 'connect', listener: () => void): unknown
  once(event: 'ready' | 'close', listener: () => void): unknown
}

/**
 * Closes the connection if answers are expected and none arrives for `ms`. The `socketTimeout` of
 * ioredis does the same, but also counts the time in which this process was busy. Watches the
 * handshake too. Pass every other expected answer to the function that this returns.
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
