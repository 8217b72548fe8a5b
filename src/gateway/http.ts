import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

/** A request as it came, before anybody read its body. */
export interface Ask {
  readonly method: string
  /** The target as it was sent: parsed as a URL it would lose the parts `.` and `..`. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  /** Rejects with a `RequestError` when the body is too large, or does not come to its end. */
  body(): Promise<Buffer>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A stream is destroyed when the client has gone. */
  readonly body: string | Buffer | Readable
}

/** What answers requests. It never rejects. */
export type Answering = (ask: Ask) => Promise<Answer>

/** A request that is answered by an error of its own, before Redis heard of it. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: 400 | 401 | 405 | 413

  constructor(status: 400 | 401 | 405 | 413, message: string) {
    super(message)
    this.status = status
  }
}
