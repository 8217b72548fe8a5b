import { detectPlatform, type Platform } from '../environment.ts'
import { clientNetwork, isPrivate } from './address.ts'
import type { Client } from './client.ts'
import { ADDRESS_ON, type Source } from './source.ts'

/** Where the caller says that the address stands. */
export interface Declared {
  readonly source: Source
  /** Names that place in the log where it holds no address. */
  readonly place: string
  readonly advice: string
  /** Whether a request was passed on by a proxy that told of a client beyond itself. */
  readonly isPassedOn?: (request: Request) => boolean
}

/**
 * Counts by the network of an address: that of the declared source, else the one that the platform
 * tells. A platform that is not given is found out at the first request. Logs one line when clients
 * share a limit because their addresses are not seen.
 */
export function byAddress(ipv6Prefix = 64, platform?: Platform, declared?: Declared): Client {
  const { source, place, advice, isPassedOn } = declared ?? UNDECLARED
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
      // What was found outside of a request of Vercel's need not hold inside.
      addressOf = source
      return undefined
    }
    if (!hasWarned && isPrivate(plain) && isPassedOn?.(request)) {
      warn('the private address of a proxy')
    }
    return { plain }
  }
}

/** What the platform tells. */
const UNDECLARED = {
  source: undefined,
  place: 'of the client',
  advice:
    'Behind proxies of your own set ip({ trustedHops: 1 }) or ip({ header }), ' +
    "on Vercel ip({ platform: 'vercel' })",
  isPassedOn: ({ headers }: Request) => headers.has('x-forwarded-for') || headers.has('forwarded'),
}
