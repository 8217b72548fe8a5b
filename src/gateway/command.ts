import { type Ask, RequestError } from './http.ts'
import { type Excess, excessOf, withQuotedNumbers } from './json.ts'

/** A command for Redis: its name in upper case, and arguments that may be bytes. */
export type Command = readonly [name: string, ...args: (string | Buffer)[]]

const UNSUPPORTED = 'ERR unsupported arg type'

/** As many as @upstash/redis sends at once. A million would keep everybody waiting for seconds. */
const MOST_COMMANDS = 1000

/**
 * Of all commands of a request, names counted. A million would keep everybody waiting for half a
 * second; a client in JavaScript that spreads a list into a call cannot send many more than these.
 */
const MOST_ARGUMENTS = 100_000

/** The command that a body holds: `["SET", "key", "value"]`. */
export function commandOfBody(body: Buffer): Command {
  return toCommand(parse(body, 'command', 1))
}

/** The commands that a body holds: `[["SET", "key", "value"], ["GET", "key"]]`. */
export function commandsOfBody(body: Buffer, what: 'pipeline' | 'multi-exec'): readonly Command[] {
  const entries = parse(body, `${what} request`, 2)
  const failed = `ERR failed to parse ${what} request`
  if (!Array.isArray(entries)) throw new RequestError(400, failed)
  if (entries.length === 0) throw new RequestError(400, `ERR empty ${what} request`)
  return entries.map((entry) => {
    if (!Array.isArray(entry)) throw new RequestError(400, failed)
    return toCommand(entry)
  })
}

/**
 * The command that a path is: `/set/key` with the value as its body and `?EX=100` behind it. The
 * parts may be any bytes. https://upstash.com/docs/redis/features/restapi#json-or-binary-value
 */
export function commandOfPath(path: string, query: string, body: Buffer): Command {
  const [name, ...args] = path.slice(1).split('/').map(unescapeBytes)
  const options = [...new URLSearchParams(query)].filter(([key]) => key !== '_token')
  return named(`${name}`, [
    ...args,
    ...(body.length > 0 ? [body] : []),
    ...options.flatMap(([key, value]) => (value === '' ? [key] : [key, value])),
  ])
}

/**
 * The subscription that a request asks for, if it asks for a stream of events. The client escapes
 * nothing, so that a `?` belongs to a pattern, and only the token is none of it.
 */
export function subscriptionOf({ target, headers }: Ask): Command | undefined {
  if (!headers.accept?.includes('text/event-stream')) return undefined
  const [, name, channels] = /^\/(p?subscribe)\/(.+)$/i.exec(withoutToken(target)) ?? []
  if (name === undefined || channels === undefined) return undefined
  return named(name, channels.split('/').map(unescapeBytes))
}

/** A `?` goes with the token if nothing else stands behind it. */
function withoutToken(target: string): string {
  const [path, ...queries] = target.split('?')
  const kept = queries
    .map((query) => query.split('&').filter((part) => !new URLSearchParams(part).has('_token')))
    .filter(({ length }) => length > 0)
  return [path, ...kept.map((parts) => parts.join('&'))].join('?')
}

/**
 * Parses the body as JSON: lists, at most `depth` levels deep. Numbers that a double cannot
 * represent keep their digits: the body is then parsed again with its numbers as strings. (From
 * Node 21 on, `context.source` of a reviver would provide the digits.)
 */
function parse(body: Buffer, what: string, depth: 1 | 2): unknown {
  const failed = `ERR failed to parse ${what}`
  const excess = excessOf(body, { depth, lists: MOST_COMMANDS, values: MOST_ARGUMENTS })
  if (excess) {
    const errors: Readonly<Record<Excess, string>> = {
      shape: failed,
      depth: UNSUPPORTED,
      lists: `ERR max ${what.replace(' request', '')} size exceeded. Limit: ${MOST_COMMANDS} commands`,
      values: `ERR max arguments exceeded. Limit: ${MOST_ARGUMENTS}`,
    }
    throw new RequestError(400, errors[excess])
  }
  try {
    const parsed: unknown = JSON.parse(body.toString())
    return holdsLargeNumber(parsed) ? JSON.parse(withQuotedNumbers(body)) : parsed
  } catch {
    throw new RequestError(400, failed)
  }
}

function holdsLargeNumber(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsLargeNumber)
  return typeof value === 'number' && !Number.isSafeInteger(value)
}

/** The errors are Upstash's own words. */
function toCommand(parts: unknown): Command {
  if (!Array.isArray(parts) || parts.length === 0) {
    throw new RequestError(400, 'ERR failed to parse command')
  }
  const [name = '', ...args] = parts.map((part) => {
    if (part === null) throw new RequestError(400, 'ERR null args are not supported')
    if (typeof part === 'object') throw new RequestError(400, UNSUPPORTED)
    return String(part)
  })
  return named(name, args)
}

/** In upper case, for ioredis changes the answers to some of the names in lower case. */
const named = (name: string, args: (string | Buffer)[]): Command => [name.toUpperCase(), ...args]

/** What a part of a path stands for, byte by byte. */
function unescapeBytes(part: string): Buffer {
  const bytes = part.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}
