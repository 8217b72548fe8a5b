import { describeType } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { restSender, type Send } from '../stores/redis-protocol/rest.ts'
import {
  parseRestToken,
  parseRestUrl,
  type UpstashCredentials,
} from '../stores/rest-credentials.ts'
import type { Store } from '../stores/store.ts'
import { parseUrl } from '../url.ts'
import type { CheckContext } from './context.ts'

/**
 * What to examine: the credentials of a database over REST, a function that sends raw commands, or
 * a store. For a store, only the checks that need nothing but `take` run.
 */
export type Target = UpstashCredentials | Send | Store

/** A target, and how it is reached. */
export interface ResolvedTarget extends Pick<CheckContext, 'protocol' | 'address'> {
  readonly source: Send | Store
}

/** Resolves a target. Throws a `ConfigError` if the target or the address is not valid. */
export function readTarget(
  target: Target,
  address: string | undefined,
  fetcher: typeof fetch,
): ResolvedTarget {
  const url = address === undefined ? undefined : parseUrl(address)
  if (address !== undefined && url === undefined) {
    throw new ConfigError('address', 'the URL that the function sends to', 'another string')
  }
  if (typeof target === 'function') {
    return { source: target, protocol: 'redis', address: url }
  }
  if (typeof target !== 'object' || target === null) {
    throw new ConfigError('doctor', '{ url, token }, a function, or a store', describeType(target))
  }
  if ('take' in target) return { source: target, protocol: 'store', address: url }
  const credentials = {
    url: parseRestUrl('url', target.url),
    token: parseRestToken('token', target.token),
  }
  const source = restSender(credentials.url, credentials.token, fetcher)
  return { source, protocol: 'rest', address: new URL(credentials.url) }
}
