import { assertKeys } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import type { Metric } from './metric.ts'
import { acceptedFormat, CONTENT_TYPES, writePrometheus } from './prometheus.ts'

export interface ScrapeOptions {
  /**
   * What the scraper sends as `Authorization: Bearer …`. A token that is there but `undefined` or
   * empty, such as a missing variable, is a `ConfigError`.
   * @default everybody may read the metrics
   */
  readonly token?: string | undefined
}

/** Responds to a scraper: with the format that it accepts, or with 401 or 405. */
export function scrape(
  request: Request,
  read: () => readonly Metric[],
  options: ScrapeOptions,
): Response {
  assertKeys('', options, ['token'])
  const { token } = options
  const isToken = !('token' in options) || (typeof token === 'string' && token !== '')
  // The value is not shown: it may be a part of a secret.
  if (!isToken) throw new ConfigError('token', 'a text, or no such option for everybody')
  if (token !== undefined && !isEqual(tokenOf(request), token)) {
    return new Response('Unauthorized\n', {
      status: 401,
      headers: { 'www-authenticate': 'Bearer', 'cache-control': 'no-store' },
    })
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return new Response('Method Not Allowed\n', { status: 405, headers: { allow: 'GET, HEAD' } })
  }
  const format = acceptedFormat(request.headers.get('accept') ?? '')
  const headers = { 'content-type': CONTENT_TYPES[format], 'cache-control': 'no-store' }
  const body = request.method === 'HEAD' ? null : writePrometheus(read(), format)
  return new Response(body, { headers })
}

const tokenOf = ({ headers }: Request) =>
  /^bearer +(.*)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''

/** Takes the same time wherever two texts of one length differ. */
function isEqual(given: string, token: string): boolean {
  let difference = given.length ^ token.length
  for (let index = 0; index < token.length; index++) {
    difference |= given.charCodeAt(index) ^ token.charCodeAt(index)
  }
  return difference === 0
}
