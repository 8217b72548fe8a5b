import { assertOption } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { parseUrl } from '../url.ts'

/** The origins whose scripts may read the gate's own responses: every origin, or a list. */
export type Cors = '*' | readonly string[]

/** A scheme and a host in ASCII, without a path (https://fetch.spec.whatwg.org/#origin-header). */
const ORIGIN = /^[\w+.-]+:\/\/[\w[][\w.:[\]-]*$/

/** Adds the CORS fields to a response that the gate itself made. */
export type AddCors = (response: Response, request: Request) => Response

/**
 * Checks the option `cors`, or the variable CORS_ORIGINS, whose origins are separated by commas.
 */
export function compileCors(option: string, cors: unknown): AddCors {
  if (cors === undefined || cors === '') return (response) => response
  const parts = typeof cors === 'string' ? cors.split(',') : cors
  const list = Array.isArray(parts) ? parts.map((part) => `${part}`.trim()).filter(Boolean) : []
  assertOption(list.length > 0, option, cors, '"*" or a list of origins')
  const allowed = new Set(list)
  const isAll = allowed.has('*') && allowed.size === 1
  for (const [index, origin] of list.entries()) {
    if (isAll || isOrigin(origin)) continue
    // Not shown: it may hold a password.
    throw new ConfigError(
      `${option}[${index}]`,
      'an origin such as "https://app.example.com", in ASCII, without "*", path or default port',
    )
  }

  // Without `Vary`, since the gate's own responses are `no-store`.
  return (response, { headers }) => {
    const origin = headers.get('origin')
    if (!origin || !(isAll || allowed.has(origin))) return response
    response.headers.set('Access-Control-Allow-Origin', isAll ? '*' : origin)
    // A script that sends cookies can read the response only with this field.
    if (!isAll) response.headers.set('Access-Control-Allow-Credentials', 'true')
    return response
  }
}

/**
 * Whether browsers send this text as an origin. The URL parser returns such a text unchanged, or
 * `null` for the schemes of extensions and apps.
 */
const isOrigin = (text: string) =>
  ORIGIN.test(text) && [text, 'null'].includes(`${parseUrl(text)?.origin}`)
