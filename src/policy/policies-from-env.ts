import { assertHeaderName, assertOption, describeValue } from '../checks.ts'
import type { Client } from '../client/client.ts'
import { header } from '../client/header.ts'
import { ConfigError } from '../errors.ts'
import { compilePolicies } from './policy.ts'
import type { PlanFunction, PolicyOptions } from './policy-options.ts'

const EXPECTED = 'a list of policies, or the JSON text of a list'

/**
 * Returns the policies of the variable POLICIES: a list, or a list as JSON text. Entries are as in
 * code, except that `client` is `"ip"` or `{ "header": "x-api-key" }`, and `plan` is
 * `{ "header": "x-plan" }`. Throws a `ConfigError` that names the entry.
 */
export function policiesFromEnv(value: unknown): readonly PolicyOptions[] {
  const list = typeof value === 'string' ? parseJson(value) : value
  assertOption(Array.isArray(list), 'POLICIES', value, EXPECTED)
  const headers = new Map<string, Client>()
  const policies = list.map((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null) return entry
    const at = `POLICIES[${index}]`
    return {
      ...entry,
      ...('client' in entry && { client: clientOf(`${at}.client`, entry.client, headers) }),
      ...('plan' in entry && { plan: planOf(at, entry.plan, Object(entry).plans) }),
    }
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
  const name = headerOf(option, value, '"ip" or { "header": "x-api-key" }')
  const known = headers.get(name.toLowerCase()) ?? header(name)
  headers.set(name.toLowerCase(), known)
  return known
}

/**
 * The plan that a header names. Whoever sends another value, or several, gets the first plan, since
 * a visitor must not cause errors.
 */
function planOf(at: string, value: unknown, plans: unknown): PlanFunction {
  const name = headerOf(`${at}.plan`, value, '{ "header": "x-plan" }')
  const names = Object.keys(Object(plans))
  const [first = ''] = names
  // An object lists such keys before all others, wherever they were written.
  const number = names.find((plan) => /^\d+$/.test(plan))
  assertOption(number === undefined, `${at}.plans`, number, 'names with a letter')
  return ({ headers }) => {
    const plan = headers.get(name) ?? first
    return names.includes(plan) ? plan : first
  }
}

/** Returns the name in `{ "header": name }`. */
function headerOf(option: string, value: unknown, expected: string): string {
  const { header: name, ...more } = Object(value)
  const isHeader = typeof name === 'string' && Object.keys(more).length === 0
  assertOption(isHeader, option, value, expected)
  assertHeaderName(`${option}.header`, name)
  return name
}
