import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import type { Clock } from '../clock.ts'

/** Header fields. Each of several values is sent in a line of its own. */
export type HttpFields = Readonly<Record<string, string | readonly string[]>>

/** A request as the drill sends it. `path` is sent as it is, without any normalisation. */
export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers: HttpFields
  /** The address of this machine to send from. */
  readonly localAddress?: string | undefined
}

/** A response, and when it arrived. Times are in ms, by the drill's clock. */
export interface HttpResponse {
  readonly status: number
  readonly headers: Headers
  /** The body of a refusal, cut off after `MAX_BODY_BYTES`; '' for other responses. */
  readonly body: string
  readonly sentAt: number
  readonly receivedAt: number
  /** The address that the request was sent from. */
  readonly localAddress: string | undefined
}

/** Sends one request. Throws a `TransportError` if there is no response in time. */
export type HttpSender = (request: HttpRequest) => Promise<HttpResponse>

/** There is no response. The message is a code, such as `ECONNREFUSED`, and never a secret. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
}

const MAX_BODY_BYTES = 65_536

/** How long to go on reading a response that is of no interest. Its connection is then closed. */
const DRAIN_MS = 1000

/** Errors before a connection exists: another address of the host may work. */
const NOT_CONNECTED =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT|EINVAL|no response within .*)$/

/**
 * Sends to the first address that can be reached, always the same one, so that all requests come
 * from one client. Each request has its own connection, so that a load balancer may choose another
 * server for each. Redirects are not followed.
 */
export function createHttpSender(
  url: URL,
  addresses: readonly string[],
  timeout: number,
  clock: Clock,
): HttpSender {
  let left = addresses
  return async function send(request) {
    const [address = url.hostname, ...others] = left
    try {
      const response = await exchange(url, address, request, timeout, clock)
      left = [address]
      return response
    } catch (error) {
      const code = codeOf(error, timeout)
      if (others.length === 0 || !NOT_CONNECTED.test(code)) throw new TransportError(code)
      left = others
      return send(request)
    }
  }
}

function exchange(
  { protocol, hostname, port, host }: URL,
  address: string,
  { method, path, headers, localAddress }: HttpRequest,
  timeout: number,
  clock: Clock,
): Promise<HttpResponse> {
  const sentAt = clock()
  return new Promise((resolve, reject) => {
    const isTls = protocol === 'https:'
    const options = {
      host: address,
      port: port || (isTls ? 443 : 80),
      method,
      path,
      headers: { host, ...linesOf(headers) },
      agent: false,
      signal: AbortSignal.timeout(timeout),
      ...(isTls && isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && { servername: hostname }),
      ...(localAddress !== undefined && { localAddress }),
    }
    const request = (isTls ? requestHttps : requestHttp)(options, (response) => {
      const receivedAt = clock()
      const { statusCode: status = 0, socket } = response
      const { localAddress: from } = socket
      readBody(response, status).then((body) => {
        request.destroy()
        resolve({
          status,
          headers: headersOf(response),
          body,
          sentAt,
          receivedAt,
          localAddress: from,
        })
      }, reject)
    })
    request.on('error', reject)
    request.end()
  })
}

/** The same for Node, which takes no readonly arrays. */
const linesOf = (headers: HttpFields) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  )

/** Reads the body of a 429 or 503. Reads other bodies to their end, without keeping them. */
function readBody(response: IncomingMessage, status: number): Promise<string> {
  const isRefusal = status === 429 || status === 503
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    const end = () => {
      clearTimeout(timer)
      resolve(isRefusal ? Buffer.concat(chunks).toString('utf8', 0, MAX_BODY_BYTES) : '')
    }
    const timer = isRefusal ? undefined : setTimeout(end, DRAIN_MS)
    response.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length
      if (isRefusal) chunks.push(chunk)
      if (bytes >= MAX_BODY_BYTES) end()
    })
    response.on('end', end)
    response.on('error', (error) => {
      clearTimeout(timer)
      if (isRefusal) reject(error)
      else resolve('')
    })
  })
}

/** Repeated fields are joined, which Node's own `headers` does not do for all of them. */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  }
  return headers
}

function codeOf(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return `no response within ${timeout} ms`
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
