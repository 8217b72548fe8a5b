import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import type { GatewayRequest, RequestHandler } from './http.ts'
import { readBody } from './request-body.ts'
import { serialRequests } from './serial-requests.ts'
import { trackUnusedConnections } from './unused-connections.ts'

export interface ListenOptions {
  readonly handle: RequestHandler
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

/** A server that listens. */
export interface HttpServer {
  readonly url: string
  /**
   * Accepts no more connections, ends streams, waits up to `graceMs` for requests in flight, and
   * then closes their connections.
   */
  stop(graceMs: number): Promise<void>
}

/** In ms. */
const TIMEOUTS = {
  /** Edge platforms keep connections for a minute: the server must not close them first. */
  keepAliveTimeout: 65_000,
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  /** By default, Node checks the other timeouts every 30 s only. */
  connectionsCheckingInterval: 5_000,
}
const TLS_TIMEOUTS = { ...TIMEOUTS, handshakeTimeout: 10_000 }

/** How often a server that stops closes the connections that became idle. */
const IDLE_CHECK_MS = 50

/** Starts to listen. Rejects if it cannot: the port is taken, or the certificate is invalid. */
export async function listen({ handle, host, port, tls }: ListenOptions): Promise<HttpServer> {
  let stopping = false
  const streams = new Set<ServerResponse>()
  const waitForEarlier = serialRequests()

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    unused.markUsed(request.socket)
    const ready = waitForEarlier(request, response)
    if (ready !== true && !(await ready)) return
    const { status, headers, body } = await handle(gatewayRequest(request, response))
    if (stopping) response.setHeader('connection', 'close')
    if (typeof body === 'string' || Buffer.isBuffer(body)) {
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
      response.end(body)
    } else if (stopping || response.destroyed) {
      response.end()
      body.destroy()
    } else {
      response.writeHead(status, headers)
      pipe(body, response)
    }
  }

  function pipe(body: Readable, response: ServerResponse): void {
    streams.add(response)
    pipeline(body, response, () => streams.delete(response))
  }

  const server = tls
    ? createHttpsServer({ ...TLS_TIMEOUTS, ...tls }, respond)
    : createHttpServer(TIMEOUTS, respond)
  // With this listener, Node leaves `100 Continue` to `readBody`. If the request is refused without
  // it, Node closes the connection.
  server.on('checkContinue', respond)
  const unused = trackUnusedConnections(server, tls !== undefined)
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${address.port}`,
    async stop(graceMs) {
      stopping = true
      const closed = once(server, 'close')
      server.close()
      for (const response of streams) response.end()
      unused.destroyAll()
      const closingIdle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
      const closingAll = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearInterval(closingIdle)
      clearTimeout(closingAll)
    },
  }
}

function gatewayRequest(request: IncomingMessage, response: ServerResponse): GatewayRequest {
  const { method = '', url = '', headers } = request
  return { method, target: originForm(url), headers, body: () => readBody(request, response) }
}

/**
 * The target without scheme and host. A client that uses the gateway as a proxy sends the whole
 * URL, which a server must accept (RFC 9112 §3.2.2).
 */
const originForm = (url: string) =>
  url.startsWith('/') ? url : `/${url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*\/?/i, '')}`
