import { listItems } from '../response/list-items.ts'

/** An item of `RateLimit-Policy`: `q` and `w`. */
export interface Quota {
  readonly name: string
  readonly limit: number
  /** In seconds. */
  readonly window: number | undefined
}

/** An item of `RateLimit`: `r` and `t`. */
export interface QuotaState {
  readonly name: string
  readonly remaining: number
  /** In seconds from the response. */
  readonly reset: number | undefined
}

/** `X-RateLimit-Limit`, `-Remaining` and `-Reset`. */
export interface XRateLimit {
  readonly limit: number | undefined
  readonly remaining: number | undefined
  /** In seconds from the response, also if the server sends a date in epoch time. */
  readonly reset: number | undefined
}

/** What a response says about quotas. */
export interface ResponseFields {
  /** Empty if the response has no valid `RateLimit-Policy`. */
  readonly quotas: readonly Quota[]
  /** Empty if the response has no valid `RateLimit`. */
  readonly states: readonly QuotaState[]
  /** `undefined` if the response has none of the three fields. */
  readonly x: XRateLimit | undefined
  /** In seconds from the response. `undefined` if the field is missing or not valid. */
  readonly retryAfter: number | undefined
  /** Whether the fields are those of a draft before 8: `limit=10, remaining=9, reset=60`. */
  readonly isOlderDraft: boolean
  /** What is wrong with the notation of each field, by its name. */
  readonly faults: ReadonlyMap<'ratelimit' | 'x-ratelimit' | 'retry-after', string>
}

/** Whole numbers of RFC 9651 §3.3.1 without a sign. */
const COUNT = /^\d{1,15}$/

/**
 * Reads the fields of draft-ietf-httpapi-ratelimit-headers-11, `X-RateLimit-*` and `Retry-After`.
 *
 * @param now the machine's time in ms, used if the response has no `Date`
 */
export function readFields(headers: Headers, now: number): ResponseFields {
  const faults = new Map<'ratelimit' | 'x-ratelimit' | 'retry-after', string>()
  const fault = (field: 'ratelimit' | 'x-ratelimit' | 'retry-after', text: string) => {
    if (!faults.has(field)) faults.set(field, text)
    return undefined
  }
  const dated = Date.parse(headers.get('date') ?? '')
  const sent = Number.isNaN(dated) ? now : dated

  const isOlderDraft =
    headers.has('RateLimit-Limit') || /^ *limit *=/.test(headers.get('RateLimit') ?? '')
  const itemsOf = (name: 'RateLimit' | 'RateLimit-Policy') => {
    const value = headers.get(name)
    if (value === null) return []
    const items = listItems(value)
    if (items.length > 0) return items
    if (!isOlderDraft)
      fault('ratelimit', `${name} is not a list of quoted names, so clients ignore it`)
    return []
  }
  const countOf = (item: string, key: string, isRequired: boolean, name: string) => {
    const text = parameterOf(item, key)
    if (text === undefined && !isRequired) return undefined
    if (text !== undefined && COUNT.test(text)) return Number(text)
    const problem = text === undefined ? 'is missing' : 'is not a whole number'
    return fault('ratelimit', `the parameter ${key} of ${name} ${problem}`)
  }
  const quotas = itemsOf('RateLimit-Policy').flatMap(([item, name]) => {
    const limit = countOf(item, 'q', true, 'RateLimit-Policy')
    const window = countOf(item, 'w', false, 'RateLimit-Policy')
    if (window === 0) fault('ratelimit', 'the parameter w of RateLimit-Policy is 0')
    return limit === undefined ? [] : [{ name, limit, window }]
  })
  const states = itemsOf('RateLimit').flatMap(([item, name]) => {
    const remaining = countOf(item, 'r', true, 'RateLimit')
    const reset = countOf(item, 't', false, 'RateLimit')
    return remaining === undefined ? [] : [{ name, remaining, reset }]
  })

  const xCount = (name: string) => {
    const value = headers.get(`X-RateLimit-${name}`)
    if (value === null) return undefined
    if (COUNT.test(value)) return Number(value)
    return fault('x-ratelimit', `X-RateLimit-${name} is not a whole number`)
  }
  const [limit, remaining, reset] = [xCount('Limit'), xCount('Remaining'), xCount('Reset')]
  const hasX = ['Limit', 'Remaining', 'Reset'].some((name) => headers.has(`X-RateLimit-${name}`))
  const x = hasX ? { limit, remaining, reset: reset && secondsUntil(reset, sent) } : undefined

  const wait = headers.get('Retry-After')
  const retryAfter = wait === null ? undefined : parseRetryAfter(wait, sent)
  if (wait !== null && retryAfter === undefined) {
    fault('retry-after', 'Retry-After is neither a number of seconds nor a date')
  }
  return { quotas, states, x, retryAfter, isOlderDraft, faults }
}

/** The value of a parameter of an item, which is known to be well formed. */
function parameterOf(item: string, key: string): string | undefined {
  const parameters = item.replace(/^"(?:[^"\\]|\\.)*"/, '')
  const each = /; *([a-z*][a-z\d_.*-]*)(?:=("(?:[^"\\]|\\.)*"|[^;]*))?/g
  // The last of several parameters with one key counts (RFC 9651 §4.2.3.2).
  return [...parameters.matchAll(each)].findLast(([, name]) => name === key)?.[2]?.trim()
}

/** Smaller numbers are seconds from now, since dates in epoch time began to be larger in 2001. */
const FIRST_EPOCH_S = 1e9
const FIRST_EPOCH_MS = 1e12

function secondsUntil(reset: number, now: number): number {
  if (reset < FIRST_EPOCH_S) return reset
  const ms = reset < FIRST_EPOCH_MS ? reset * 1000 : reset
  return Math.round((ms - now) / 1000)
}

/** RFC 9110 §10.2.3: a number of seconds, or a date. */
function parseRetryAfter(value: string, now: number): number | undefined {
  if (COUNT.test(value)) return Number(value)
  const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(value)
  return date ? Math.max(0, Math.round((Date.parse(value) - now) / 1000)) : undefined
}
