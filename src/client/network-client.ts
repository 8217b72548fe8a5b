import { detectPlatform, type Platform } from '../environment.ts'
import type { Client } from './client.ts'
import { isPrivateNetwork, parseNetwork } from './network.ts'
import { type AddressSource, PLATFORM_ADDRESS } from './platform-address.ts'

/** The configured source of the address. */
export interface ConfiguredSource {
  readonly source: AddressSource
  /** Describes the source in the warning that it contains no address. */
  readonly place: string
  readonly advice: string
}

/**
 * Counts by the network of an address: the address passed to `check`, otherwise that of the
 * configured source, otherwise that of the platform, which is detected at the first request unless
 * it is given. Logs one warning when clients share a limit because their addresses are not visible.
 */
export function networkClient(
  ipv6Prefix = 64,
  platform?: Platform,
  configured?: ConfiguredSource,
): Client {
  const { source, place, advice } = configured ?? PLATFORM_SOURCE
  let addressOf = source
  let hasWarned = false

  function warn(found: string, unless = ''): void {
    if (hasWarned) return
    hasWarned = true
    console.warn(
      `tidegate: ip() found ${found}, so all clients share one limit${unless}. ${advice}`,
    )
  }

  return (request, { env, ip }) => {
    addressOf ??= PLATFORM_ADDRESS[platform ?? detectPlatform()]
    const plain = parseNetwork(ip ?? addressOf(request, env) ?? '', ipv6Prefix)
    if (plain === undefined) {
      warn(`no address ${place}`, ' (unless the policy sets `unknown`)')
      // Detect the platform again: Vercel is recognised only while a request is handled.
      addressOf = source
      return undefined
    }
    if (
      !hasWarned &&
      isPrivateNetwork(plain) &&
      hasOtherAddress(request.headers, plain, ipv6Prefix)
    ) {
      warn('the private address of a proxy')
    }
    return { plain }
  }
}

/** The address that the platform provides. */
const PLATFORM_SOURCE = {
  source: undefined,
  place: 'of the client',
  advice:
    'Behind your own proxies set ip({ trustedHops: 1 }) or ip({ header }), ' +
    "on Vercel ip({ platform: 'vercel' }), elsewhere check(request, { ip })",
}

/** Headers in which proxies name the client, in a list (RFC 7239) or alone (`X-Real-IP`). */
const ADDRESS_FIELD = /forwarded(-for)?$|(-|client)ip$|(viewer|external)-address$/

/** The first entry of a list: the client, as the first proxy saw it. */
const FIRST_ENTRY = /^(?:for=)?([^,;]*)/i

/** Whether a proxy names a client in another network. Then `network` is the proxy's. */
function hasOtherAddress(headers: Headers, network: string, ipv6Prefix: number): boolean {
  return [...headers].some(
    ([name, value]) =>
      ADDRESS_FIELD.test(name) &&
      parseNetwork(FIRST_ENTRY.exec(value)?.[1] ?? '', ipv6Prefix) !== network,
  )
}
