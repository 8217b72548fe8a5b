import { assertOption, describeValue } from '../checks.ts'
import { askerOf } from '../client/client.ts'
import { ConfigError } from '../errors.ts'

import type { UnitClient } from './units-options.ts'

const EXPECTED = 'a text, { plain } or { clients }'

/**
 * Returns the client's name in the store for each policy. Throws a `ConfigError` for a client that
 * is unknown, or if `clients` does not name each policy and no other.
 */
export async function clientNames(
  method: string,
  client: UnitClient,
  policies: readonly { readonly name: string }[],
): Promise<readonly string[]> {
  const isObject = typeof client === 'object' && client !== null
  if (!isObject || !('clients' in client)) {
    const asker = await askerOf(client)
    if (asker === undefined) throw new ConfigError(method, EXPECTED, describeValue(client))
    return policies.map(() => asker.name)
  }
  const { clients } = client
  const isMap = typeof clients === 'object' && clients !== null
  assertOption(isMap, `${method}.clients`, clients, 'an object with a client for each policy')
  for (const key of Object.keys(clients)) {
    const isPolicy = policies.some(({ name }) => name === key)
    assertOption(isPolicy, `${method}.clients.${key}`, key, 'the name of a policy')
  }
  return Promise.all(
    policies.map(async ({ name }) => {
      const own = await askerOf(clients[name])
      if (own !== undefined) return own.name
      throw new ConfigError(`${method}.clients.${name}`, 'a text or { plain }', describeValue(own))
    }),
  )
}
