import { ConfigError, insist } from '../errors.ts'

/** Whose scripts may read the gate's own answers: those of every origin, or of these. */
export type Cors = '*' | readonly string[]

/** As browsers write `Origin`: no path, no capitals (https://fetch.spec.whatwg.org/#origin-header). */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@,A-Z]+$/

/** Lets scripts read an answer of the gate itself, as the origin lets them read its own. */
export type Allow = (response: Response, request: Request) => Response

/** Checks the option, or the variable of that name, where origins are separated by commas. */
export function compileCors(option: string, cors: unknown): Allow {
  if (cors === undefined || cors === '') return (response) => response
  const list = typeof cors === 'string' && cors !== '*' ? cors.split(/\s*,\s*/) : cors
  const isList = Array.isArray(list) && list.length > 0
  insist(list === '*' || isList, option, list, '"*" or a list of origins')
  const allowed = new Set<unknown>(isList ? list : [])
  for (const [index, origin] of [...allowed].entries()) {
    if (typeof origin === 'string' && ORIGIN.test(origin)) continue
    // Not shown: it may hold a password.
    throw new ConfigError(
      `${option}[${index}]`,
      'no origin',
      'one such as "https://app.example.com"',
    )
  }

  // Without `Vary`, since no cache may keep the gate's answers.
  return (response, { headers }) => {
    const origin = headers.get('origin')
    if (origin && list === '*') response.headers.set(ALLOW_ORIGIN, '*')
    if (!origin || !allowed.has(origin)) return response
    response.headers.set(ALLOW_ORIGIN, origin)
    // Without it no script that sends cookies may read the answer.
    response.headers.set('Access-Control-Allow-Credentials', 'true')
    return response
  }
}

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin'
