import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Waits until the earlier requests of a connection are answered. Returns `true` if no request is
 * earlier. Resolves to `false` if the connection can carry no more responses.
 */
export type WaitForEarlier = (
  request: IncomingMessage,
  response: ServerResponse,
) => true | Promise<boolean>

/**
 * Handles the requests of each connection one after another: the next request starts when the
 * response to the previous one is written. Otherwise a client that sends many requests and reads
 * nothing would fill the memory with responses.
 */
export function serialRequests(): WaitForEarlier {
  const newest = new WeakMap<Socket, ServerResponse>()

  return ({ socket }, response) => {
    const previous = newest.get(socket)
    newest.set(socket, response)
    if (!previous || previous.writableFinished) return true
    // Node resumes the socket at the end of each request, so it is paused after that.
    let waiting = true
    process.nextTick(() => {
      if (waiting) socket.pause()
    })
    return new Promise((resolve) => {
      previous.once('close', () => {
        waiting = false
        if (newest.get(socket) === response) socket.resume()
        // A response with `connection: close` has ended the connection.
        resolve(response.socket !== null)
      })
    })
  }
}
