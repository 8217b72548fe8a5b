import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import { readBody } from './body.ts'
import type { Answering, Ask } from './http.ts'
import { inTurn } from './serial-requests.ts'
import { unusedOf } from './unused.ts'

export interface ListenOptions {
  readonly answer: Answering
  readonly host: string
  /** 0 takes one that is free. */
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

/** A server that listens. */
export interface Listening {
  readonly url: string
  /**
   * Takes no more connections, ends streams, lets requests in flight end for `patience` ms, and then
   * breaks them off.
   */
  stop(patience: number): Promise<void>
}

const TIMEOUTS = {
  /** Edge platforms keep connections for a minute: the server must not be the first to let go. */
  keepAliveTimeout: 65_000,
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  /** Node looks for what took too long every 30 s only. */
  connectionsCheckingInterval: 5_000,
}
const TLS_TIMEOUTS = { ...TIMEOUTS, handshakeTimeout: 10_000 }

/** How often a server that stops looks for connections that have nothing more to do, in ms. */
const LOOK = 50

/** Starts to listen. Rejects when it cannot: the port is taken, the certificate is none. */
export async function listen({ answer, host, port, tls }: ListenOptions): Promise<Listening> {
  let stopping = false
  const streams = new Set<ServerResponse>()
  const isTurn = inTurn()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    unused.delete(request.socket)
    const turn = isTurn(request, response)
    if (turn !== true && !(await turn)) return
    const { status, headers, body } = await answer(askOf(request, response))
    if (stopping) response.setHeader('connection', 'close')
    if (typeof body === 'string' || Buffer.isBuffer(body)) {
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
      response.end(body)
    } else if (stopping || response.destroyed) {
      response.end()
      body.destroy()
    } else {
      response.writeHead(status, headers)
      pass(body, response)
    }
  }

  function pass(body: Readable, response: ServerResponse): void {
    streams.add(response)
    pipeline(body, response, () => streams.delete(response))
  }

  const server = tls
    ? createHttpsServer({ ...TLS_TIMEOUTS, ...tls }, handle)
    : createHttpServer(TIMEOUTS, handle)
  // Who waits with a body is asked for it by whoever reads it; unasked, Node ends the connection.
  server.on('checkContinue', handle)
  const unused = unusedOf(server, tls !== undefined)
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${address.port}`,
    async stop(patience) {
      stopping = true
      const closed = once(server, 'close')
      server.close()
      for (const response of streams) response.end()
      unused.destroy()
      const looking = setInterval(() => server.closeIdleConnections(), LOOK)
      const breakOff = setTimeout(() => server.closeAllConnections(), patience)
      await closed
      clearInterval(looking)
      clearTimeout(breakOff)
    },
  }
}

function askOf(request: IncomingMessage, response: ServerResponse): Ask {
  const { method = '', url = '', headers } = request
  return { method, target: targetOf(url), headers, body: () => readBody(request, response) }
}

/** A client that takes us for its proxy names the whole address. RFC 9112 §3.2.2: it is accepted. */
const targetOf = (url: string) =>
  url.startsWith('/') ? url : `/${url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*\/?/i, '')}`
