/** What is read of Node's `http.IncomingMessage`, which Express, Fastify (`request.raw`) and others have. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** The URL as it was sent: Express and Connect remove the path of a mounted app from `url`. */
  readonly originalUrl?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * Returns Node's request as a `Request` without a body, for `check` and `handle`. Its URL has the path
 * and query that the client sent, and the host `localhost`: the `Host` header is the client's own text,
 * which could change how the URL is read.
 *
 * The Fetch API has no `TRACE` and no `CONNECT`; such a request becomes a `GET`, so that it is counted.
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
    method: /^(?:connect|trace|track)$/i.test(method) ? 'GET' : method,
    headers,
  })
}

/** A request target is a path, or a whole URL that proxies send, or `*` (RFC 9112 §3.2). */
function urlOf(target: string): string {
  if (target.startsWith('/')) return `http://localhost${target}`
  const [, path = '/'] = /^https?:\/\/[^/?#]*(.*)$/i.exec(target) ?? []
  return `http://localhost${path.startsWith('/') ? '' : '/'}${path}`
}
