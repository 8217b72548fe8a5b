import { ip } from '../client/ip.ts'
import { problem } from '../response/problem.ts'

/** Where requests go that may pass. */
export interface Origin {
  /** Nothing for the zone's own origin. */
  readonly url: URL | undefined
  readonly secret: string | undefined
  /** In ms, until the origin's answer begins. */
  readonly timeout: number
}

/** Fields that concern one connection and end with it (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
]

/**
 * Passes a request on and returns the origin's answer untouched: bodies are streamed, redirects and
 * upgrades handed through. 502 if the origin cannot be reached, 504 if it does not answer in time.
 */
export async function forward(request: Request, origin: Origin): Promise<Response> {
  const passed = new Request(targetOf(request, origin), request)
  await setForwarded(passed.headers, request)
  for (const name of HOP_BY_HOP) {
    // An upgrade is a matter of the connection, and the one that must reach the origin.
    if (!(name === 'connection' && request.headers.has('upgrade'))) passed.headers.delete(name)
  }
  passed.headers.delete('x-origin-secret')
  if (origin.secret) passed.headers.set('x-origin-secret', origin.secret)

  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), origin.timeout)
  try {
    return await fetch(passed, { redirect: 'manual', signal: stop.signal })
  } catch {
    return problem(stop.signal.aborted ? GATEWAY_TIMEOUT : BAD_GATEWAY, request)
  } finally {
    clearTimeout(timer)
  }
}

const BAD_GATEWAY = {
  title: 'Bad Gateway',
  status: 502,
  detail: 'The origin could not be reached.',
}

const GATEWAY_TIMEOUT = {
  title: 'Gateway Timeout',
  status: 504,
  detail: 'The origin did not answer in time.',
}

/** The request's path and query under the origin's address, whose own path goes in front. */
function targetOf(request: Request, { url }: Origin): string {
  if (url === undefined) return request.url
  const { pathname, search } = new URL(request.url)
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${pathname}${search}`
}

/**
 * What the origin is told of the client's connection. What the client itself said of it is dropped:
 * an origin that believes the first entry of a list must not believe the client.
 */
async function setForwarded(headers: Headers, request: Request): Promise<void> {
  const url = new URL(request.url)
  const address = await clientAddress(request, {})
  if (address && typeof address === 'object') headers.set('x-forwarded-for', address.plain)
  else headers.delete('x-forwarded-for')
  headers.set('x-forwarded-proto', url.protocol.slice(0, -1))
  headers.set('x-forwarded-host', url.host)
  headers.delete('forwarded')
}

/** The whole address, not the network that counts as one client. */
const clientAddress = /* @__PURE__ */ ip({ ipv6Prefix: 128 })
