import { describeValue } from '../checks.ts'
import type { Environment } from '../environment.ts'
import { ConfigError } from '../errors.ts'

/** What the functions `client`, `match` and `refusal` may use besides the request. */
export interface RequestContext {
  /** The host's bindings or variables; on Node, Bun and Deno what the server adapter hands over. */
  readonly env?: Environment | undefined
  /** The client's address, if the caller of `check` or `handle` passed it. */
  readonly ip?: string | null | undefined
}

/**
 * Who asks. A text may be a secret or name a person, so only its hash reaches the store. A `plain`
 * text, such as an address or a tenant's number, reaches the store unchanged, for operators to
 * read. It is hashed too if it is longer than 128 characters, contains spaces or characters outside
 * ASCII, is `unknown`, or looks like a hash (32 hexadecimal digits in lower case).
 */
export type Identity = string | { readonly plain: string }

/**
 * Returns who asks. `null`, `undefined` and an empty text mean that the client is unknown; the
 * policy's `unknown` decides about such requests. `check` throws what the function throws.
 *
 * `Incoming` is the framework's type of request, and `Host` what its adapter adds to the context.
 */
export type Client<Incoming extends Request = Request, Host extends object = object> = (
  request: Incoming,
  context: RequestContext & Host,
) => Identity | null | undefined | Promise<Identity | null | undefined>

/**
 * A `plain` text that reaches the store unchanged. All others are hashed: a long text, so that keys
 * stay bounded; `unknown`, which is the name of all unknown clients; and a text that looks like the
 * hash of another client.
 */
const READABLE = /^(?!unknown$|[\da-f]{32}$)[\x21-\x7e]{1,128}$/

/** A known client. */
export interface Asker {
  /** What the client function returned: the text, also of `{ plain }`. */
  readonly text: string
  /** The client's name in the store. */
  readonly name: string
}

/**
 * Returns who asks, or `undefined` for an unknown client. Returns a promise only if the client
 * function does, or if the text must be hashed.
 */
export function identify<Incoming extends Request, Host extends object>(
  client: Client<Incoming, Host>,
  request: Incoming,
  context: RequestContext & Host,
): Asker | undefined | Promise<Asker | undefined> {
  const identity = client(request, context)
  return typeof identity === 'object' && identity !== null && 'then' in identity
    ? Promise.resolve(identity).then(askerOf)
    : askerOf(identity)
}

/** The client with this identity, or `undefined` for an unknown client. */
export function askerOf(
  identity: Identity | null | undefined,
): Asker | undefined | Promise<Asker | undefined> {
  const isObject = typeof identity === 'object' && identity !== null
  const text = isObject && 'plain' in identity ? identity.plain : identity
  if (text === undefined || text === null || text === '') return undefined
  if (typeof text !== 'string') {
    throw new ConfigError('client', 'a string or { plain } as the client', describeValue(text))
  }
  return typeof identity === 'object' && READABLE.test(text)
    ? { text, name: text }
    : sha256(text).then((name) => ({ text, name }))
}

/** The hash of a name that reaches the store unchanged. A name that is a hash is returned. */
export const hashedName = (name: string): string | Promise<string> =>
  READABLE.test(name) ? sha256(name) : name

/**
 * 128 bits of SHA-256 in hex: too many for two clients to share a count, by chance or on purpose.
 */
async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  const bytes = Array.from(new Uint8Array(digest, 0, 16))
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
