import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'

export interface ListenOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly host: string
  /** 0 takes one that is free. */
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

/** A server that listens. */
export interface Listening {
  readonly url: string
  /** Takes no more connections, lets requests in flight end for `patience` ms, then breaks them off. */
  stop(patience: number): Promise<void>
}

/** Edge platforms keep connections for a minute: the server must not be the first to let go. */
const KEEP_ALIVE = 65_000

/** Starts to listen. Rejects when it cannot: the port is taken, the certificate is none. */
export async function listen({ fetch, host, port, tls }: ListenOptions): Promise<Listening> {
  let stopping = false
  const answer = async (request: Request): Promise<Response> => {
    const response = await fetch(request)
    if (stopping) response.headers.set('connection', 'close')
    return response
  }
  const timeouts = { keepAliveTimeout: KEEP_ALIVE, requestTimeout: 30_000, headersTimeout: 10_000 }
  const listener = { fetch: answer, hostname: host, port }
  const server = tls
    ? serve({
        ...listener,
        createServer: createHttpsServer,
        serverOptions: { ...timeouts, ...tls },
      })
    : serve({ ...listener, createServer: createHttpServer, serverOptions: timeouts })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', resolve)
  })
  const address = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${name}:${address.port}`,
    async stop(patience) {
      stopping = true
      const closed = new Promise((resolve) => server.close(resolve))
      const breakOff = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
      }, patience)
      await closed
      clearTimeout(breakOff)
    },
  }
}
