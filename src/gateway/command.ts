import { type GatewayRequest, RequestError } from './http.ts'
import { type ExceededBound, exceededBound, withQuotedNumbers } from './json-scan.ts'

/** A command for Redis: its name in upper case, and arguments that may be bytes. */
export type Command = readonly [name: string, ...args: (string | Buffer)[]]

const UNSUPPORTED = 'ERR unsupported arg type'

/**
 * The most that @upstash/redis sends at once. A million commands would block all requests for
 * seconds.
 */
const MAX_COMMANDS = 1000

/**
 * The arguments of all commands of a request, and their names. A million would block all requests
 * for half a second. A JavaScript client that spreads a list into a call cannot send many more.
 */
const MAX_ARGUMENTS = 100_000

/** The command in a body: `["SET", "key", "value"]`. */
export function commandOfBody(body: Buffer): Command {
  return toCommand(parse(body, 'command', 1))
}

/** The commands in a body: `[["SET", "key", "value"], ["GET", "key"]]`. */
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
 * The command in a path: `/set/key?EX=100`, with the value as the body. The parts of the path may
 * be any bytes. https://upstash.com/docs/redis/features/restapi#json-or-binary-value
 */
export function commandOfPath(path: string, query: string, body: Buffer): Command {
  const [name, ...args] = path.slice(1).split('/').map(unescapeBytes)
  const options = [...new URLSearchParams(query)].filter(([key]) => key !== '_token')
  return command(`${name}`, [
    ...args,
    ...(body.length > 0 ? [body] : []),
    ...options.flatMap(([key, value]) => (value === '' ? [key] : [key, value])),
  ])
}

/**
 * The subscription in a path, or `undefined` if the request does not accept a stream of events.
 * Clients escape nothing, so a `?` is part of a pattern. Only the token is not.
 */
export function subscriptionOf({ target, headers }: GatewayRequest): Command | undefined {
  if (!headers.accept?.includes('text/event-stream')) return undefined
  const [, name, channels] = /^\/(p?subscribe)\/(.+)$/i.exec(withoutToken(target)) ?? []
  if (name === undefined || channels === undefined) return undefined
  return command(name, channels.split('/').map(unescapeBytes))
}

/** Removes the token, and the `?` before it if nothing else follows. */
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
  const exceeded = exceededBound(body, { depth, lists: MAX_COMMANDS, values: MAX_ARGUMENTS })
  if (exceeded) {
    const errors: Readonly<Record<ExceededBound, string>> = {
      shape: failed,
      depth: UNSUPPORTED,
      lists: `ERR max ${what.replace(' request', '')} size exceeded. Limit: ${MAX_COMMANDS} commands`,
      values: `ERR max arguments exceeded. Limit: ${MAX_ARGUMENTS}`,
    }
    throw new RequestError(400, errors[exceeded])
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

/** Checks the parts of a command. The error texts are those of Upstash. */
function toCommand(parts: unknown): Command {
  if (!Array.isArray(parts) || parts.length === 0) {
    throw new RequestError(400, 'ERR failed to parse command')
  }
  const [name = '', ...args] = parts.map((part) => {
    if (part === null) throw new RequestError(400, 'ERR null args are not supported')
    if (typeof part === 'object') throw new RequestError(400, UNSUPPORTED)
    return String(part)
  })
  return command(name, args)
}

/** The name is in upper case: ioredis changes the replies to some names in lower case. */
const command = (name: string, args: (string | Buffer)[]): Command => [name.toUpperCase(), ...args]

/** Decodes the percent escapes of a part, byte by byte. */
function unescapeBytes(part: string): Buffer {
  const bytes = part.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1')
}
