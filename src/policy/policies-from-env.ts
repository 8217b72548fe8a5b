import { assertHeaderName, assertOption, describeValue } from '../checks.ts'
import type { Client } from '../client/client.ts'
import { header } from '../client/header.ts'
import { ConfigError } from '../errors.ts'
import { compilePolicies, type PolicyOptions } from './policy.ts'

const EXPECTED = 'a list of policies, or the JSON text of a list'

/**
 * Returns the policies of the variable POLICIES: a list, or a list as JSON text. Entries are as in
 * code, except that `client` is `"ip"` or `{ "header": "x-api-key" }`. Throws a `ConfigError` that
 * names the entry.
 */
export function policiesFromEnv(value: unknown): readonly PolicyOptions[] {
  const list = typeof value === 'string' ? parseJson(value) : value
  assertOption(Array.isArray(list), 'POLICIES', value, EXPECTED)
  const headers = new Map<string, Client>()
  const policies = list.map((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null || !('client' in entry)) return entry
    return { ...entry, client: clientOf(`POLICIES[${index}].client`, entry.client, headers) }
  })
  compilePolicies('POLICIES', policies)
  return policies as readonly PolicyOptions[]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // V8's message quotes the text, which may be the value of another variable.
    const why = `${error}`.replace(/,? ?".*/s, '')
    throw new ConfigError('POLICIES', EXPECTED, `${describeValue(text)} (${why})`)
  }
}

/** Entries with the same client share one function: a limiter compares clients by identity. */
function clientOf(
  option: string,
  value: unknown,
  headers: Map<string, Client>,
): Client | undefined {
  if (value === 'ip') return undefined
  const { header: name, ...more } = Object(value)
  const isHeader = typeof name === 'string' && Object.keys(more).length === 0
  assertOption(isHeader, option, value, '"ip" or { "header": "x-api-key" }')
  assertHeaderName(`${option}.header`, name)
  const known = headers.get(name.toLowerCase()) ?? header(name)
  headers.set(name.toLowerCase(), known)
  return known
}
