import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

/** A request whose body has not been read yet. */
export interface GatewayRequest {
  readonly method: string
  /** The target as it was sent: parsed as a URL it would lose the parts `.` and `..`. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  /** Rejects with a `RequestError` if the body is too large, or is cut off. */
  body(): Promise<Buffer>
}

export interface GatewayResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A stream is destroyed when the client disconnects. */
  readonly body: string | Buffer | Readable
}

/** Responds to requests. It never rejects. */
export type RequestHandler = (request: GatewayRequest) => Promise<GatewayResponse>

/** An error of the request itself. Nothing was sent to Redis. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: 400 | 401 | 405 | 413

  constructor(status: 400 | 401 | 405 | 413, message: string) {
    super(message)
    this.status = status
  }
}
