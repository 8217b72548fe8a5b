import { detectPlatform } from '../environment.ts'
import type { Log } from '../quiet-log.ts'
import { redactedMessage } from '../redact.ts'
import { problem } from '../response/problem.ts'
import { startTimeout } from '../timer.ts'
import { splitUrl } from '../url.ts'
import { appendCdnLoop, isLooping } from './cdn-loop.ts'
import type { AddCors } from './cors.ts'
import { canEscapeFolder } from './folder-escape.ts'
import { setForwardedFields } from './forwarded-fields.ts'

/** Where allowed requests go, compiled from the variables. */
export interface Origin {
  /** `undefined` for the zone's own origin. */
  readonly url: URL | undefined
  readonly secret: string | undefined
  /** In ms, until the origin's response begins. */
  readonly timeout: number
  /** Adds the CORS fields to responses that the gate itself made. */
  readonly addCors: AddCors
  /** Log why requests were not forwarded, and why the origin did not respond. */
  readonly logRefused: Log
  readonly logFailed: Log
}

/**
 * Returns the response to a request that cannot or must not be forwarded, otherwise `undefined`.
 * Runs before the request is counted, since it needs no store.
 */
export function refuseToForward(request: Request, origin: Origin): Response | undefined {
  const { url, addCors, logRefused } = origin
  if (url === undefined && !isOnCloudflare(request)) {
    logRefused(NO_ORIGIN.detail)
    return addCors(problem(NO_ORIGIN, request), request)
  }
  if (isLooping(request, url)) {
    logRefused(LOOP_DETECTED.detail)
    return addCors(problem(LOOP_DETECTED, request), request)
  }
  const hasFolder = url !== undefined && url.pathname !== '/'
  if (!hasFolder || !canEscapeFolder(splitUrl(request.url).path)) return undefined
  return addCors(problem(BAD_REQUEST, request), request)
}

/**
 * Whether this Worker has a zone's own origin behind it. Cloudflare's edge sets `CF-Ray` and `cf`
 * on every request. A local workerd sets no `CF-Ray`; without ORIGIN_URL it would call itself, or
 * the host in `Host`. https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-ray
 */
function isOnCloudflare(request: Request & { readonly cf?: unknown }): boolean {
  return detectPlatform() === 'cloudflare' && request.headers.has('cf-ray') && request.cf != null
}

/**
 * Forwards a request and returns the origin's response unchanged, including streams, redirects and
 * upgrades. Returns 502 if the origin cannot be reached, 504 if it does not respond in time.
 */
export async function forward(request: Request, origin: Origin): Promise<Response> {
  // The response to TRACE would contain the request's fields and so the secret (RFC 9110 §9.3.8).
  if (request.method === 'TRACE') return problem(METHOD_NOT_ALLOWED)
  const stop = new AbortController()
  const stopTimer = startTimeout(origin.timeout, () => stop.abort())
  try {
    const passed = new Request(targetOf(request, origin), request)
    dropHopByHop(passed.headers)
    setForwardedFields(passed.headers, request, origin.secret)
    appendCdnLoop(passed.headers, request, origin.url)
    return await fetch(passed, { redirect: 'manual', signal: stop.signal })
  } catch (error) {
    origin.logFailed(`the origin did not respond: ${redactedMessage(error)}`)
    const failure = stop.signal.aborted ? GATEWAY_TIMEOUT : BAD_GATEWAY
    return origin.addCors(problem(failure, request), request)
  } finally {
    stopTimer()
  }
}

const NO_ORIGIN = {
  title: 'Internal Server Error',
  status: 500,
  detail:
    'ORIGIN_URL is not set. Only a Worker deployed to Cloudflare works without it; ' +
    'elsewhere, including `wrangler dev`, set it to the address of the origin.',
}

const LOOP_DETECTED = {
  title: 'Loop Detected',
  status: 508,
  detail: 'The request has already passed this gate. ORIGIN_URL must not lead back to the gate.',
}

const BAD_REQUEST = {
  title: 'Bad Request',
  status: 400,
  detail: 'The path leads outside the folder that is served.',
}

const METHOD_NOT_ALLOWED = {
  title: 'Method Not Allowed',
  status: 405,
  detail: 'TRACE requests are not forwarded.',
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
  const { path, query } = splitUrl(request.url)
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${path}${query}`
}

/** Fields of one connection, which are not forwarded (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** Removes them and the fields that `Connection` names, except for an upgrade to a WebSocket. */
function dropHopByHop(headers: Headers): void {
  const upgrade = headers.get('upgrade')?.toLowerCase() === 'websocket'
  const named = headers.get('connection')?.match(/[\w!#$%&'*+.^`|~-]+/g) ?? []
  for (const name of [...HOP_BY_HOP, ...named]) headers.delete(name)
  if (!upgrade) return
  headers.set('connection', 'Upgrade')
  headers.set('upgrade', 'websocket')
}
