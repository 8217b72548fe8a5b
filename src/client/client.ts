import { assertOption } from '../checks.ts'
import type { Environment } from '../environment.ts'

/** What a client function may use besides the request. */
export interface ClientContext {
  /** The host's bindings or variables; on Node, Bun and Deno what the server adapter hands over. */
  readonly env?: Environment | undefined
}

/**
 * Who asks. A text may be a secret or name a person, so only its hash reaches the store; `plain`
 * reaches it as it stands, for operators to read (an address, a tenant's number). A `plain` is
 * hashed too if it is longer than 128 characters, contains spaces or characters outside ASCII, is
 * `unknown`, or looks like a hash (32 hexadecimal digits in lower case).
 */
export type Identity = string | { readonly plain: string }

/**
 * Tells who asks from the request. Nothing, or an empty text, is an unknown client: what happens
 * then is the policy's `unknown`. What it throws, `check` throws.
 */
export type Client = (
  request: Request,
  context: ClientContext,
) => Identity | null | undefined | Promise<Identity | null | undefined>

/**
 * Other texts are hashed even when `plain`, so that keys stay bounded. `unknown` and texts that
 * look like a hash are hashed too: they would share the count of unknown clients, or that of the
 * client with this hash.
 */
const READABLE = /^(?!unknown$|[\da-f]{32}$)[\x21-\x7e]{1,128}$/

/** The client's name in the store, or nothing for an unknown client; at once where that can be. */
export function identify(
  client: Client,
  request: Request,
  context: ClientContext,
): string | undefined | Promise<string | undefined> {
  const identity = client(request, context)
  return typeof identity === 'object' && identity !== null && 'then' in identity
    ? Promise.resolve(identity).then(nameOf)
    : nameOf(identity)
}

function nameOf(
  identity: Identity | null | undefined,
): string | undefined | Promise<string | undefined> {
  const text = typeof identity === 'object' ? identity?.plain : identity
  if (text === undefined || text === null || text === '') return undefined
  assertOption(
    typeof text === 'string',
    'client',
    text,
    'a function that returns a text or { plain }',
  )
  return typeof identity === 'object' && READABLE.test(text) ? text : hash(text)
}

/** 128 bits of SHA-256 in hex: nobody meets another's count by chance or on purpose. */
async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  const bytes = Array.from(new Uint8Array(digest, 0, 16))
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
