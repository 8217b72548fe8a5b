import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenLocally } from './listen.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A real origin on a free loopback port, and what arrived at it. */
export async function startOrigin(handle: Handler = (_, response) => response.end('origin\n')) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    handle(request, response)
  })
  const port = await listenLocally(server)
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    requests,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
