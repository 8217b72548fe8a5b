import { parseArgs } from 'node:util'
import { assertOption, describeValue } from '../checks.ts'
import type { Traffic } from '../cost/traffic.ts'
import { ConfigError } from '../errors.ts'
import { parseDuration } from '../policy/duration.ts'

const MOST_REQUESTS = 1e11
const MOST_ISOLATES = 10_000
const MOST_VISIT = 1000
const LONGEST_WINDOW_MS = 30 * 86_400_000

/** The defaults of the flags that describe how clients come. */
export const DEFAULT_ISOLATES = 50
export const DEFAULT_VISIT = 20
export const DEFAULT_STAY = '10s'

const OPTIONS = {
  requests: { type: 'string' },
  clients: { type: 'string' },
  policy: { type: 'string' },
  lease: { type: 'boolean' },
  isolates: { type: 'string' },
  visit: { type: 'string' },
  stay: { type: 'string' },
  json: { type: 'boolean' },
} as const

export interface CostFlags {
  readonly traffic: Traffic
  readonly json: boolean
}

/** Reads the flags of `tidegate cost`. Throws a `ConfigError` that names the wrong flag. */
export function readCostFlags(args: readonly string[]): CostFlags {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const { lease = false, json = false, stay = DEFAULT_STAY } = values
  const requests = readCount('--requests', values.requests, MOST_REQUESTS)
  const clients = readCount('--clients', values.clients, MOST_REQUESTS)
  const isFew = clients <= requests
  assertOption(isFew, '--clients', values.clients, 'at most as many clients as requests')
  const each = Math.floor(requests / clients)
  const visit =
    values.visit === undefined
      ? Math.min(DEFAULT_VISIT, each)
      : readCount('--visit', values.visit, MOST_VISIT)
  const expected = `at most the ${each} requests that a client sends in a month`
  assertOption(visit <= each, '--visit', values.visit, expected)
  const isolates =
    values.isolates === undefined
      ? DEFAULT_ISOLATES
      : readCount('--isolates', values.isolates, MOST_ISOLATES)
  return {
    json,
    traffic: {
      requests,
      clients,
      ...readPolicy('--policy', values.policy),
      lease,
      isolates,
      visit,
      stay: stay === '0' ? 0 : parseDuration('--stay', stay),
    },
  }
}

const MULTIPLES = { k: 1e3, m: 1e6, b: 1e9 } as const

/** `500`, `200k`, `1.5M` or `2B`. */
function readCount(option: string, text: string | undefined, most: number): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([kmb]?)$/i.exec(text ?? '') ?? []
  const multiple = MULTIPLES[unit?.toLowerCase() as keyof typeof MULTIPLES] ?? 1
  const count = Math.round(Number(digits) * multiple * 1000) / 1000
  const isRight = Number.isInteger(count) && count >= 1 && count <= most
  const expected = `a whole number from 1 to ${short(most)}, such as 500, 200k or 1.5M`
  assertOption(isRight, option, text, expected)
  return count
}

const short = (count: number) =>
  count >= 1e9 ? `${count / 1e9}B` : count >= 1e3 ? `${count / 1e3}k` : `${count}`

/** `100/1m`: the limit, and the window. */
function readPolicy(option: string, text: string | undefined): Pick<Traffic, 'limit' | 'window'> {
  const [, count = '', duration] = /^([^/]+)\/([^/]+)$/.exec(text ?? '') ?? []
  const expected = 'a limit and a window, such as 100/1m'
  if (duration === undefined) throw new ConfigError(option, expected, describeValue(text))
  const limit = readCount(`the limit of ${option}`, count, MOST_REQUESTS)
  const window = parseDuration(`the window of ${option}`, duration)
  const isShort = window <= LONGEST_WINDOW_MS
  assertOption(isShort, `the window of ${option}`, duration, 'at most 30d')
  return { limit, window }
}
