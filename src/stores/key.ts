import type { Demand } from './store.ts'

type KeyParts = Pick<Demand, 'policy' | 'client'>

/** What every key begins with unless a store is told otherwise. */
export const DEFAULT_PREFIX = 'ratelimit'

/**
 * The store's name for a policy and a client: `ratelimit:203.0.113.7` for the unnamed policy,
 * `ratelimit:login:203.0.113.7` for one named `login`. A client with a colon (IPv6) would read as
 * policy and client, so for the unnamed policy its name stays, empty: `ratelimit::2001:db8::/64`.
 */
export function keyOf(prefix: string, demand: KeyParts): string {
  const { policy, client } = demand
  return policy === '' && !client.includes(':')
    ? `${prefix}:${client}`
    : `${prefix}:${policy}:${client}`
}

/**
 * The same with the client as hash tag, so that all keys of a client are in one slot of a Redis
 * Cluster (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags):
 * `ratelimit:login:{203.0.113.7}`. A tag ends at the first brace, so a client must not hold one.
 */
export function taggedKeyOf(prefix: string, { policy, client }: KeyParts): string {
  // An empty tag would be none; a "%" by itself is no client's.
  const tag = client.replace(/[%{}]/g, encodeURIComponent) || '%'
  return keyOf(prefix, { policy, client: `{${tag}}` })
}
