import { stopwatch } from '../clock.ts'
import type { Allow } from './allow.ts'
import type { Backend } from './backend.ts'
import {
  type Command,
  commandOfBody,
  commandOfPath,
  commandsOfBody,
  subscriptionOf,
} from './command.ts'
import { type Answer, type Answering, type Ask, RequestError } from './http.ts'
import { runAll } from './pipeline.ts'
import { type Format, type Reply, toJson, toResp2 } from './reply.ts'
import { newRoom } from './response-budget.ts'
import { tokenCheck, tokenOf } from './token.ts'
import { RedisAway } from './unavailable.ts'

export interface GatewayOptions {
  /** Where commands go. */
  readonly redis: Backend
  /** What `Authorization: Bearer …` or `?_token=…` must hold: one of these. */
  readonly tokens: readonly string[]
  /** Which commands pass. */
  readonly allow: Allow
  /** Told of every request in one line, without keys or tokens. */
  readonly log?: ((line: string) => void) | undefined
}

const METHODS: ReadonlySet<string> = new Set(['HEAD', 'GET', 'POST', 'PUT'])

const JSON_TYPE = { 'content-type': 'application/json' }
const RESP2_TYPE = { 'content-type': 'application/octet-stream' }
/** Without buffering by nginx: https://nginx.org/en/docs/http/ngx_http_proxy_module.html */
const EVENTS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
}

/**
 * Upstash's REST protocol over a Redis: a command as body or as path, `/pipeline`, `/multi-exec`, in
 * JSON, base64 or RESP2, and `/subscribe` as a stream of events.
 * https://upstash.com/docs/redis/features/restapi
 */
export function gateway({ redis, tokens, allow, log }: GatewayOptions): Answering {
  const isToken = tokenCheck(tokens)
  let answers = 0
  /**
   * Adds a sync token that changes with every answer, which is all that clients need. There is only
   * one Redis, so a client always reads what it wrote, and the token that it sends back is ignored.
   */
  const synced = (headers: Answer['headers']): Answer['headers'] => ({
    ...headers,
    'upstash-sync-token': `${++answers}`,
  })
  if (!log) return answer
  return async (ask) => {
    const start = stopwatch()
    const answered = await answer(ask)
    const ms = (stopwatch() - start).toFixed(1)
    log(`${ask.method} ${routeOf(ask)} ${answered.status} ${ms} ms`)
    return answered
  }

  async function answer(ask: Ask): Promise<Answer> {
    const [path, query] = partsOf(ask)
    if (path === '/healthz' && (ask.method === 'GET' || ask.method === 'HEAD')) return health()
    if (!isToken(tokenOf(ask, query))) return failure(401, 'Unauthorized', JSON_TYPE)
    try {
      if (!METHODS.has(ask.method)) throw new RequestError(405, 'ERR method not allowed')
      if (path === '/pipeline') return await pipeline(ask)
      if (path === '/multi-exec') return await transaction(ask)
      const subscription = subscriptionOf(ask)
      if (subscription) {
        // The answer to HEAD has no body that could ever end.
        if (ask.method === 'HEAD') throw new RequestError(405, 'ERR method not allowed')
        return await events(ask, subscription)
      }
      return await single(ask, path, query)
    } catch (error) {
      if (error instanceof RequestError) return known(error.status, error.message)
      if (error instanceof RedisAway) return known(503, error.message, { 'retry-after': '1' })
      log?.(`failed: ${error instanceof Error ? error.name : typeof error}`)
      return known(500, 'the gateway failed')
    }
  }

  function health(): Answer {
    const headers = { 'content-type': 'text/plain; charset=UTF-8' }
    return redis.away
      ? { status: 503, headers, body: 'away' }
      : { status: 200, headers, body: 'ok' }
  }

  async function single(ask: Ask, path: string, query: string): Promise<Answer> {
    const format = formatOf(ask)
    const body = await ask.body()
    const command = path === '/' ? commandOfBody(body) : commandOfPath(path, query, body)
    const reply = newRoom().fit(await run(command))
    const status = 'error' in reply ? 400 : 200
    return format === 'resp2'
      ? { status, headers: synced(RESP2_TYPE), body: toResp2(reply) }
      : { status, headers: synced(JSON_TYPE), body: toJson(reply, format) }
  }

  async function pipeline(ask: Ask): Promise<Answer> {
    const format = formatOf(ask)
    const commands = commandsOfBody(await ask.body(), 'pipeline')
    const replies = await runAll(commands, run)
    return format === 'resp2'
      ? { status: 200, headers: synced(RESP2_TYPE), body: Buffer.concat(replies.map(toResp2)) }
      : { status: 200, headers: synced(JSON_TYPE), body: listOf(replies, format) }
  }

  async function transaction(ask: Ask): Promise<Answer> {
    const format = isBase64(ask) ? 'base64' : 'json'
    const commands = commandsOfBody(await ask.body(), 'multi-exec')
    const refused = commands.map((command) => allow(command)).find((reason) => reason !== undefined)
    if (refused !== undefined) return known(400, refused)
    const replies = await redis.transact(commands)
    return 'error' in replies
      ? known(400, replies.error)
      : {
          status: 200,
          headers: synced(JSON_TYPE),
          body: listOf(replies.map(newRoom().fit), format),
        }
  }

  /** The body means nothing, but Node sees a client go only once it was read. */
  async function events(ask: Ask, subscription: Command): Promise<Answer> {
    await ask.body()
    const refused = allow(subscription, 'stream')
    if (refused !== undefined) return known(400, refused)
    const body = await redis.subscribe(subscription)
    return 'error' in body ? known(400, body.error) : { status: 200, headers: synced(EVENTS), body }
  }

  /** An error for a client with a valid token. */
  function known(status: number, error: string, more: Answer['headers'] = {}): Answer {
    return failure(status, error, synced({ ...JSON_TYPE, ...more }))
  }

  function run(command: Command): Reply | Promise<Reply> {
    const refused = allow(command)
    return refused === undefined ? redis.call(command) : { error: refused }
  }
}

function partsOf({ target }: Ask): readonly [path: string, query: string] {
  const end = target.indexOf('?')
  return end < 0 ? [target, ''] : [target.slice(0, end), target.slice(end + 1)]
}

function formatOf(ask: Ask): Format {
  const format = ask.headers['upstash-response-format'] ?? 'json'
  if (format !== 'json' && format !== 'resp2') {
    throw new RequestError(400, 'ERR unknown Upstash-Response-Format: want json or resp2')
  }
  if (format === 'json') return isBase64(ask) ? 'base64' : 'json'
  if (!isBase64(ask)) return 'resp2'
  throw new RequestError(400, 'ERR Upstash-Encoding: base64 does not go with resp2')
}

const isBase64 = ({ headers }: Ask) => headers['upstash-encoding'] === 'base64'

const listOf = (replies: readonly Reply[], format: Format) =>
  `[${replies.map((reply) => toJson(reply, format)).join()}]`

const failure = (status: number, error: string, headers: Answer['headers']): Answer => ({
  status,
  headers,
  body: JSON.stringify({ error }),
})

/** The path of a request as a log may show it: one that is a command holds keys. */
function routeOf(ask: Ask): string {
  const [path] = partsOf(ask)
  return ['/', '/pipeline', '/multi-exec', '/healthz'].includes(path) ? path : '/…'
}
