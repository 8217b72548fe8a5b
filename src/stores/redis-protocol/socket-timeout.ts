import { stopwatch } from '../../clock.ts'
import { startTimeout, type TimeSource } from '../../timer.ts'

/** Waits for a reply on the watched connection, and returns it. */
export type AwaitReply = <Reply>(reply: Reply | Promise<Reply>) => Promise<Reply>

/** The members of an ioredis connection that are used here. */
interface Socket {
  readonly stream: { destroy(error: Error): unknown }
  on(event: 'connect', listener: () => void): unknown
  once(event: 'ready' | 'close', listener: () => void): unknown
}

/**
 * Closes the connection if a reply is expected and no reply arrives for `ms`. The `socketTimeout`
 * of ioredis does the same, but also counts the time in which this process was busy. Also watches
 * the handshake. Pass every other expected reply to the returned function.
 */
export function enforceSocketTimeout(
  socket: Socket,
  ms: number,
  time: TimeSource = {},
): AwaitReply {
  const { clock = stopwatch } = time
  let expected = 0
  let heardAt = 0
  let stop: (() => void) | undefined

  function startTimer(left: number): void {
    const expire = () => {
      const more = heardAt + ms - clock()
      if (more > 0) return startTimer(more)
      stop = undefined
      socket.stream.destroy(new Error(`no answer within ${ms} ms`))
    }
    stop = startTimeout(left, expire, time)
  }

  const awaitReply: AwaitReply = async (reply) => {
    expected++
    if (stop === undefined) {
      heardAt = clock()
      startTimer(ms)
    }
    try {
      return await reply
    } finally {
      expected--
      heardAt = clock()
      if (expected === 0) {
        stop?.()
        stop = undefined
      }
    }
  }

  socket.on('connect', () => {
    const handshake = new Promise<void>((resolve) => {
      socket.once('ready', resolve)
      socket.once('close', resolve)
    })
    void awaitReply(handshake)
  })
  return awaitReply
}
