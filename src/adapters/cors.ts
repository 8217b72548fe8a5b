import { ConfigError, insist } from '../errors.ts'
import { parseUrl } from '../url.ts'

/** Whose scripts may read the gate's own answers: those of every origin, or of these. */
export type Cors = '*' | readonly string[]

/** A host of ASCII and no path (https://fetch.spec.whatwg.org/#origin-header). */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*\.?|\[[\da-f:.]+\])(?::\d+)?$/

/** Lets scripts read an answer of the gate itself, as the origin lets them read its own. */
export type Allow = (response: Response, request: Request) => Response

/** Checks the option, or the variable of that name, where origins are separated by commas. */
export function compileCors(option: string, cors: unknown): Allow {
  if (cors === undefined || cors === '') return (response) => response
  const parts: unknown = typeof cors === 'string' ? cors.split(',') : cors
  const list = Array.isArray(parts) ? parts.map(trim).filter((part) => part !== '') : []
  insist(list.length > 0, option, cors, '"*" or a list of origins')
  const isAll = list.length === 1 && list[0] === '*'
  for (const [index, origin] of list.entries()) {
    if (isAll || isOrigin(origin)) continue
    // Not shown: it may hold a password.
    throw new ConfigError(
      `${option}[${index}]`,
      'no origin as browsers send it',
      'one such as "https://app.example.com": a host in ASCII, no "*", path or default port',
    )
  }
  const allowed = new Set<unknown>(list)

  // Without `Vary`, since no cache may keep the gate's answers.
  return (response, { headers }) => {
    const origin = headers.get('origin')
    if (!origin || !(isAll || allowed.has(origin))) return response
    response.headers.set('Access-Control-Allow-Origin', isAll ? '*' : origin)
    // Without it no script that sends cookies may read the answer.
    if (!isAll) response.headers.set('Access-Control-Allow-Credentials', 'true')
    return response
  }
}

const trim = (part: unknown) => (typeof part === 'string' ? part.trim() : part)

/** Whether browsers send this origin. The URL parser has no origin for those of extensions and apps. */
const isOrigin = (text: unknown) =>
  typeof text === 'string' &&
  ORIGIN.test(text) &&
  (!/^https?:/.test(text) || parseUrl(text)?.origin === text)
