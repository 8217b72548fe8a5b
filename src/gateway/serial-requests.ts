import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Resolves when a request is its connection's turn: to false if it cannot be answered any more. */
export type Turns = (request: IncomingMessage, response: ServerResponse) => true | Promise<boolean>

/**
 * One request of a connection after the other, the next one when the answer is written. A client
 * that sends many and reads nothing would have all of their answers wait in memory.
 */
export function inTurn(): Turns {
  const newest = new WeakMap<Socket, ServerResponse>()

  return ({ socket }, response) => {
    const previous = newest.get(socket)
    newest.set(socket, response)
    if (!previous || previous.writableFinished) return true
    // Node reads on as long as no answers pile up, and at the end of each request in any case.
    let waiting = true
    process.nextTick(() => {
      if (waiting) socket.pause()
    })
    return new Promise((resolve) => {
      previous.once('close', () => {
        waiting = false
        if (newest.get(socket) === response) socket.resume()
        // An answer that said it is the last one has ended the connection.
        resolve(response.socket !== null)
      })
    })
  }
}
