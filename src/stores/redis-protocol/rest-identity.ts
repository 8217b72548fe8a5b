import { getOrInsert } from '../../get-or-insert.ts'
import { type Lru, lru } from '../../isolate/lru.ts'

/** How many databases and prefixes an isolate remembers. */
const MAX_IDENTITIES = 100

const identities = new WeakMap<typeof fetch, Lru<object>>()

/**
 * The `identity` of a store over REST: the database, by its address and token, the prefix, and the
 * function that sends the requests. A test that replaces the global `fetch` has its own.
 */
export function restIdentity(
  database: string | undefined,
  prefix: string,
  fetcher: typeof fetch = globalThis.fetch,
): object | undefined {
  if (database === undefined) return undefined
  const known = getOrInsert(identities, fetcher, () => lru<object>(undefined, MAX_IDENTITIES))
  return getOrInsert(known, `${database} ${prefix}`, () => ({}))
}
