import type { CountedKey } from './store.ts'

/** The default prefix of all keys. */
export const DEFAULT_PREFIX = 'ratelimit'

/**
 * Returns the key of a policy and a client: `ratelimit:203.0.113.7` for the unnamed policy, and
 * `ratelimit:login:203.0.113.7` for the policy `login`. A client with a colon (IPv6) could be read
 * as a policy and a client, so the empty name is kept before it: `ratelimit::2001:db8::/64`.
 *
 * @example
 * keyOf('ratelimit', { policy: 'login', client: '203.0.113.7' }) // 'ratelimit:login:203.0.113.7'
 */
export function keyOf(prefix: string, demand: CountedKey): string {
  const { policy, client } = demand
  return policy === '' && !client.includes(':')
    ? `${prefix}:${client}`
    : `${prefix}:${policy}:${client}`
}

/**
 * Like `keyOf`, with the client as hash tag, so that all keys of a client are in one slot of a
 * Redis Cluster
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags):
 * `ratelimit:login:{203.0.113.7}`. A tag ends at the first brace, so braces in the client are
 * escaped.
 */
export function taggedKeyOf(prefix: string, { policy, client }: CountedKey): string {
  return keyOf(prefix, { policy, client: `{${tagOf(client)}}` })
}

/** What the Redis hash with the settlements of a count is kept under. */
export const settlementsOf = ({ policy, client }: CountedKey): CountedKey => ({
  policy: `${policy}~settled`,
  client,
})

/** The hash tag of a client. */
export function tagOf(client: string): string {
  // Redis ignores an empty tag. A "%" is always escaped, so no client's tag is a single "%".
  return client.replace(/[%{}]/g, encodeURIComponent) || '%'
}
