import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Answering } from './exchange.ts'

/** What answers a `Request`. */
export type Fetch = (request: Request) => Response | Promise<Response>

/**
 * For callers that still hold a `Request` (tests/support/gateway-server.ts and
 * bench/backend/gateway-process.ts). The gateway itself takes none: see server.ts.
 */
export function toFetch(answer: Answering): Fetch {
  return async (request) => {
    const { pathname, search } = new URL(request.url)
    const { status, headers, body } = await answer({
      method: request.method,
      target: pathname + search,
      headers: Object.fromEntries(request.headers),
      body: async () => Buffer.from(await request.arrayBuffer()),
    })
    const bytes = body instanceof Readable ? (Readable.toWeb(body) as BodyInit) : Buffer.from(body)
    return new Response(bytes, { status, headers })
  }
}

/** The other way round. */
export function fromFetch(fetch: Fetch): Answering {
  return async ({ method, target, headers, body }) => {
    const bodiless = method === 'GET' || method === 'HEAD'
    const request = new Request(`http://localhost${target}`, {
      method,
      headers: Object.entries(headers).map(([name, value]) => [name, `${value}`]),
      body: bodiless ? null : new Uint8Array(await body()),
    })
    const response = await fetch(request)
    const streams = response.headers.get('content-type') === 'text/event-stream' && response.body
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: streams
        ? Readable.fromWeb(streams as ReadableStream)
        : Buffer.from(await response.arrayBuffer()),
    }
  }
}
