/**
 * The fields of Node's `http.IncomingMessage` that `toWebRequest` reads. Fastify's is
 * `request.raw`.
 */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** The URL as it was sent: Express and Connect remove the path of a mounted app from `url`. */
  readonly originalUrl?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * Returns Node's request as a `Request` without a body, for `check` and `handle`. Its URL has the
 * path and query that the client sent, with `..`, `.` and `\` escaped, and the host `localhost`:
 * the `Host` header is the client's own text, which could change how the URL is read.
 *
 * The Fetch API has no `TRACE` and no `CONNECT`; such a request becomes a `GET`, so that it is
 * counted.
 * @example
 * const decision = await limiter.check(toWebRequest(req), { ip: req.ip })
 */
export function toWebRequest(request: NodeRequest): Request {
  const headers = new Headers()
  for (const [name, values] of Object.entries(request.headers)) {
    // HTTP/2 has pseudo-header fields such as `:path` (RFC 9113 §8.3).
    if (values === undefined || name.startsWith(':')) continue
    for (const value of [values].flat()) headers.append(name, value)
  }
  const { method = 'GET' } = request
  return new Request(urlOf(request.originalUrl ?? request.url ?? '/'), {
    // Over HTTP/2 a client may send any case. Frameworks for Node compare in capitals.
    method: /^(?:connect|trace|track)$/i.test(method) ? 'GET' : method.toUpperCase(),
    headers,
  })
}

/** The scheme and authority of a whole URL as a request target, or `*` (RFC 9112 §3.2). */
const BEFORE_PATH = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*|^\*$/i

/** A segment `.` or `..`, as it is or escaped, between slashes of either kind. */
const DOT_SEGMENT = /(?<=\/|%5C)(?:\.|%2e){1,2}(?=\/|%5C|$)/gi

/**
 * Returns a URL whose path a policy reads as the server's framework does. A `Request` resolves `..`
 * and changes `\` to `/`, and these frameworks do neither, so both are escaped. `parsePath` then
 * compares both readings.
 */
function urlOf(target: string): string {
  const [, path = '', rest = ''] = /^([^?#]*)(.*)$/s.exec(target.replace(BEFORE_PATH, '')) ?? []
  const kept = path
    .replaceAll('\\', '%5C')
    .replace(DOT_SEGMENT, (dots) => dots.replace(/\.|%2e/gi, '%252e'))
  return `http://localhost${kept.startsWith('/') ? '' : '/'}${kept}${rest}`
}
