import { detectPlatform, type Platform } from '../environment.ts'
import { clientNetwork, isPrivate } from './address.ts'
import type { Client } from './client.ts'
import { ADDRESS_ON, type Source } from './platform-address.ts'

/** The place of the address, as the caller configured it. */
export interface Declared {
  readonly source: Source
  /** Names the place in the log, if it contains no address. */
  readonly place: string
  readonly advice: string
}

/**
 * Counts by the network of an address. Reads the address from the declared source, otherwise from
 * the platform. A platform that is not given is detected at the first request. Logs one warning
 * when clients share a limit because their addresses are not visible.
 */
export function byAddress(ipv6Prefix = 64, platform?: Platform, declared?: Declared): Client {
  const { source, place, advice } = declared ?? UNDECLARED
  let addressOf = source
  let hasWarned = false

  function warn(found: string, unless = ''): void {
    if (hasWarned) return
    hasWarned = true
    console.warn(
      `tidegate: ip() found ${found}, so all clients share one limit${unless}. ${advice}`,
    )
  }

  return (request, { env }) => {
    addressOf ??= ADDRESS_ON[platform ?? detectPlatform()]
    const plain = clientNetwork(addressOf(request, env) ?? '', ipv6Prefix)
    if (plain === undefined) {
      warn(`no address ${place}`, ' (unless the policy sets `unknown`)')
      // Detect the platform again: Vercel is recognised only while a request is handled.
      addressOf = source
      return undefined
    }
    if (!hasWarned && isPrivate(plain) && namesAnother(request.headers, plain, ipv6Prefix)) {
      warn('the private address of a proxy')
    }
    return { plain }
  }
}

/** The address that the platform provides. */
const UNDECLARED = {
  source: undefined,
  place: 'of the client',
  advice:
    'Behind proxies of your own set ip({ trustedHops: 1 }) or ip({ header }), ' +
    "on Vercel ip({ platform: 'vercel' })",
}

/** Headers in which proxies name the client, whether in a list (RFC 7239) or alone (`X-Real-IP`). */
const NAMES_CLIENT = /forwarded(-for)?$|(-|client)ip$|(viewer|external)-address$/

/** The first entry of a list: the client, as the first proxy saw it. */
const FIRST_ENTRY = /^(?:for=)?([^,;]*)/i

/** Whether a proxy names a client outside of the network that counts, which is then the proxy's own. */
function namesAnother(headers: Headers, network: string, ipv6Prefix: number): boolean {
  return [...headers].some(
    ([name, value]) =>
      NAMES_CLIENT.test(name) &&
      clientNetwork(FIRST_ENTRY.exec(value)?.[1] ?? '', ipv6Prefix) !== network,
  )
}
