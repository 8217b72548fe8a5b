import { detectPlatform, type Platform } from '../environment.ts'
import { clientNetwork } from './address.ts'
import type { Client } from './client.ts'
import { ADDRESS_ON, type Source } from './source.ts'

/**
 * Counts by the network of an address: that of `source`, else the one that the platform tells. A
 * platform that is not given is found out at the first request.
 */
export function byAddress(ipv6Prefix = 64, platform?: Platform, source?: Source): Client {
  let addressOf = source
  let warned = source !== undefined
  return (request, { env }) => {
    addressOf ??= ADDRESS_ON[platform ?? detectPlatform()]
    const plain = clientNetwork(addressOf(request, env) ?? '', ipv6Prefix)
    if (plain !== undefined) return { plain }
    if (!warned) console.warn(NO_ADDRESS)
    warned = true
    // What was found outside of a request of Vercel's need not hold inside.
    addressOf = source
    return undefined
  }
}

/** Behind a proxy of one's own this is how all visitors come to share one count. */
const NO_ADDRESS =
  'tidegate: ip() found no address of the client. Behind proxies of your own set its option ' +
  'trustedHops or header'
