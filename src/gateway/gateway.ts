import { stopwatch } from '../clock.ts'
import type { Backend } from './backend.ts'
import { tokenChecker, tokenOf } from './bearer-token.ts'
import {
  type Command,
  commandOfBody,
  commandOfPath,
  commandsOfBody,
  subscriptionOf,
} from './command.ts'
import type { CommandFilter } from './command-filter.ts'
import {
  type GatewayRequest,
  type GatewayResponse,
  RequestError,
  type RequestHandler,
} from './http.ts'
import { gatewayMetrics } from './metrics.ts'
import { runPipeline } from './pipeline.ts'
import { RedisUnavailable } from './redis-unavailable.ts'
import type { Reply } from './reply.ts'
import { type ReplyFormat, toJson, toResp2 } from './reply-format.ts'
import { responseBudget } from './response-budget.ts'

export interface GatewayOptions {
  /** The Redis that runs the commands. */
  readonly redis: Backend
  /** A request must bring one of these as `Authorization: Bearer …` or `?_token=…`. */
  readonly tokens: readonly string[]
  /** Decides which commands pass. */
  readonly commandFilter: CommandFilter
  /** Called with one line per request. The line contains no keys or tokens. */
  readonly log?: ((line: string) => void) | undefined
}

type Headers = GatewayResponse['headers']

const METHODS: ReadonlySet<string> = new Set(['HEAD', 'GET', 'POST', 'PUT'])

const JSON_TYPE = { 'content-type': 'application/json' }
const RESP2_TYPE = { 'content-type': 'application/octet-stream' }
/** Without buffering by nginx: https://nginx.org/en/docs/http/ngx_http_proxy_module.html */
const EVENT_STREAM = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}

/**
 * Serves Upstash's REST protocol from a Redis: a command as body or as path, `/pipeline`,
 * `/multi-exec`, in JSON, base64 or RESP2, and `/subscribe` as a stream of events. Besides it,
 * `/healthz` for load balancers and `/metrics` for Prometheus.
 * https://upstash.com/docs/redis/features/restapi
 */
export function gateway({ redis, tokens, commandFilter, log }: GatewayOptions): RequestHandler {
  const isValidToken = tokenChecker(tokens)
  let responses = 0
  /**
   * Adds a sync token that changes with every response, which is all that clients need. There is
   * only one Redis, so a client always reads what it wrote. The token that a client sends back is
   * ignored.
   */
  const withSyncToken = (headers: Headers): Headers => ({
    ...headers,
    'upstash-sync-token': `${++responses}`,
  })
  const metrics = gatewayMetrics(redis)
  return async (request) => {
    const start = stopwatch()
    const response = await handle(request)
    const ms = stopwatch() - start
    const route = routeOf(request)
    metrics.responded(route, response.status, ms)
    log?.(`${request.method} ${route} ${response.status} ${ms.toFixed(1)} ms`)
    return response
  }

  async function handle(request: GatewayRequest): Promise<GatewayResponse> {
    const { method } = request
    const [path, query] = splitTarget(request)
    if (path === '/healthz' && (method === 'GET' || method === 'HEAD')) return health()
    if (!isValidToken(tokenOf(request, query))) return errorBody(401, 'Unauthorized', JSON_TYPE)
    try {
      if (!METHODS.has(method)) throw new RequestError(405, 'ERR method not allowed')
      if (path === '/metrics' && (method === 'GET' || method === 'HEAD'))
        return await metrics.respond(request)
      if (path === '/pipeline') return await pipeline(request)
      if (path === '/multi-exec') return await transaction(request)
      const subscription = subscriptionOf(request)
      if (subscription) {
        // A response to HEAD has no body, so it would never end.
        if (method === 'HEAD') throw new RequestError(405, 'ERR method not allowed')
        return await eventStream(request, subscription)
      }
      return await single(request, path, query)
    } catch (error) {
      if (error instanceof RequestError) return errorResponse(error.status, error.message)
      if (error instanceof RedisUnavailable) {
        return errorResponse(503, error.message, { 'retry-after': '1' })
      }
      log?.(`failed: ${error instanceof Error ? error.name : typeof error}`)
      return errorResponse(500, 'the gateway had an internal error')
    }
  }

  function health(): GatewayResponse {
    const headers = { 'content-type': 'text/plain; charset=UTF-8' }
    return redis.isAvailable
      ? { status: 200, headers, body: 'ok' }
      : { status: 503, headers, body: 'unavailable' }
  }

  async function single(
    request: GatewayRequest,
    path: string,
    query: string,
  ): Promise<GatewayResponse> {
    const format = formatOf(request)
    const body = await request.body()
    const command = path === '/' ? commandOfBody(body) : commandOfPath(path, query, body)
    const reply = responseBudget().charge(await run(command))
    const status = 'error' in reply ? 400 : 200
    return format === 'resp2'
      ? { status, headers: withSyncToken(RESP2_TYPE), body: toResp2(reply) }
      : { status, headers: withSyncToken(JSON_TYPE), body: toJson(reply, format) }
  }

  async function pipeline(request: GatewayRequest): Promise<GatewayResponse> {
    const format = formatOf(request)
    const commands = commandsOfBody(await request.body(), 'pipeline')
    const replies = await runPipeline(commands, run)
    const status = 200
    return format === 'resp2'
      ? { status, headers: withSyncToken(RESP2_TYPE), body: Buffer.concat(replies.map(toResp2)) }
      : { status, headers: withSyncToken(JSON_TYPE), body: toJsonList(replies, format) }
  }

  async function transaction(request: GatewayRequest): Promise<GatewayResponse> {
    const format = isBase64(request) ? 'base64' : 'json'
    const commands = commandsOfBody(await request.body(), 'multi-exec')
    const reason = commands.map((command) => commandFilter(command)).find(Boolean)
    if (reason !== undefined) return errorResponse(400, reason)
    const replies = await redis.transact(commands)
    if ('error' in replies) return errorResponse(400, replies.error)
    const body = toJsonList(replies.map(responseBudget().charge), format)
    return { status: 200, headers: withSyncToken(JSON_TYPE), body }
  }

  /** Reads the body and ignores it: Node notices a disconnect only after the body was read. */
  async function eventStream(
    request: GatewayRequest,
    subscription: Command,
  ): Promise<GatewayResponse> {
    await request.body()
    const reason = commandFilter(subscription, 'subscription')
    if (reason !== undefined) return errorResponse(400, reason)
    const body = await redis.subscribe(subscription)
    return 'error' in body
      ? errorResponse(400, body.error)
      : { status: 200, headers: withSyncToken(EVENT_STREAM), body }
  }

  /** An error for a request with a valid token. */
  function errorResponse(status: number, error: string, headers: Headers = {}): GatewayResponse {
    return errorBody(status, error, withSyncToken({ ...JSON_TYPE, ...headers }))
  }

  function run(command: Command): Reply | Promise<Reply> {
    const reason = commandFilter(command)
    return reason === undefined ? redis.call(command) : { error: reason }
  }
}

function splitTarget({ target }: GatewayRequest): readonly [path: string, query: string] {
  const end = target.indexOf('?')
  return end < 0 ? [target, ''] : [target.slice(0, end), target.slice(end + 1)]
}

function formatOf(request: GatewayRequest): ReplyFormat {
  const format = request.headers['upstash-response-format'] ?? 'json'
  if (format !== 'json' && format !== 'resp2') {
    throw new RequestError(400, 'ERR unknown Upstash-Response-Format: expected json or resp2')
  }
  if (format === 'json') return isBase64(request) ? 'base64' : 'json'
  if (!isBase64(request)) return 'resp2'
  throw new RequestError(400, 'ERR Upstash-Encoding: base64 cannot be combined with resp2')
}

const isBase64 = ({ headers }: GatewayRequest) => headers['upstash-encoding'] === 'base64'

const toJsonList = (replies: readonly Reply[], format: ReplyFormat) =>
  `[${replies.map((reply) => toJson(reply, format)).join()}]`

const errorBody = (status: number, error: string, headers: Headers): GatewayResponse => ({
  status,
  headers,
  body: JSON.stringify({ error }),
})

/**
 * The path of a request for log and metrics. A path that holds a command is left out: it contains
 * keys.
 */
function routeOf(request: GatewayRequest): string {
  const [path] = splitTarget(request)
  return ['/', '/pipeline', '/multi-exec', '/healthz', '/metrics'].includes(path) ? path : '/…'
}
