import { createHash, timingSafeEqual } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Allow } from './allow.ts'
import { type Backend, RedisAway } from './backend.ts'
import {
  type Command,
  commandOfBody,
  commandOfPath,
  commandsOfBody,
  RequestError,
} from './command.ts'
import { type Format, type Reply, toJson, toResp2 } from './reply.ts'

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

/** Upstash's limit: https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded */
const MAX_BODY = 10 * 1024 * 1024

/** One Redis answers everything, so that what a client wrote is what it reads: nothing to wait for. */
const SYNC_TOKEN = 'tidegate'

/**
 * Upstash's REST protocol over a Redis: a command as body or as path, `/pipeline`, `/multi-exec`, in
 * JSON, base64 or RESP2. https://upstash.com/docs/redis/features/restapi
 */
export function gateway({ redis, tokens, allow, log }: GatewayOptions): Hono {
  const app = new Hono()
  const isToken = tokenCheck(tokens)

  if (log) {
    app.use(async (c, next) => {
      const start = performance.now()
      await next()
      log(
        `${c.req.method} ${routeOf(c)} ${c.res.status} ${(performance.now() - start).toFixed(1)} ms`,
      )
    })
  }
  app.get('/healthz', (c) => (redis.away ? c.text('away', 503) : c.text('ok')))

  app.use(async (c, next) => {
    if (!isToken(tokenOf(c))) throw new RequestError(401, 'Unauthorized')
    if (!['HEAD', 'GET', 'POST', 'PUT'].includes(c.req.method)) {
      throw new RequestError(405, 'ERR method not allowed')
    }
    await next()
    c.header('upstash-sync-token', SYNC_TOKEN)
  })
  // Hono's limit reads a body as a stream, which is slow: Node itself holds one to a length it says.
  const limitStream = bodyLimit({ maxSize: MAX_BODY, onError: tooLarge })
  app.use(async (c, next) => {
    const length = c.req.header('content-length')
    if (length === undefined) return limitStream(c, next)
    return Number(length) > MAX_BODY ? tooLarge(c) : next()
  })

  app.all('/pipeline', async (c) => {
    const format = formatOf(c)
    const commands = commandsOfBody(await bodyOf(c), 'pipeline')
    const settled = await Promise.allSettled(commands.map(run))
    // Of a Redis that went away in the middle each item tells; of one that is away, the whole.
    const [first] = settled
    if (first?.status === 'rejected' && settled.every(({ status }) => status === 'rejected')) {
      throw first.reason
    }
    const replies = settled.map(
      (item): Reply => (item.status === 'fulfilled' ? item.value : awayReply(item.reason)),
    )
    return format === 'resp2'
      ? binary(c, replies.map(toResp2))
      : json(c, `[${replies.map((reply) => toJson(reply, format)).join()}]`)
  })

  app.all('/multi-exec', async (c) => {
    const format = c.req.header('upstash-encoding') === 'base64' ? 'base64' : 'json'
    const commands = commandsOfBody(await bodyOf(c), 'multi-exec')
    const refused = commands.map(allow).find((reason) => reason !== undefined)
    const replies = refused ? { error: refused } : await redis.transact(commands)
    return Array.isArray(replies)
      ? json(c, `[${replies.map((reply) => toJson(reply, format)).join()}]`)
      : json(c, toJson(replies as Reply, format), 400)
  })

  app.all('*', async (c) => {
    const format = formatOf(c)
    const body = await bodyOf(c)
    const url = new URL(c.req.url)
    const command = url.pathname === '/' ? commandOfBody(body) : commandOfPath(url, body)
    const reply = await run(command)
    const status = 'error' in reply ? 400 : 200
    return format === 'resp2'
      ? binary(c, [toResp2(reply)], status)
      : json(c, toJson(reply, format), status)
  })

  app.onError((error, c) => {
    if (error instanceof RequestError) return c.json({ error: error.message }, error.status)
    if (error instanceof RedisAway) {
      return c.json(awayReply(error), 503, { 'retry-after': '1' })
    }
    log?.(`failed: ${error.name}`)
    return c.json({ error: 'the gateway failed' }, 500)
  })
  return app

  async function run(command: Command): Promise<Reply> {
    const refused = allow(command)
    return refused === undefined ? redis.call(command) : { error: refused }
  }
}

/** Whether a text is one of the tokens, in a time that tells nothing about them. */
function tokenCheck(tokens: readonly string[]): (given: string) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  const hashes = tokens.map(hash)
  return (given) => {
    const hashed = hash(given)
    const found = hashes.map((token) => timingSafeEqual(hashed, token))
    return found.includes(true)
  }
}

function tokenOf(c: Context): string {
  const header = c.req.header('authorization')
  if (header === undefined) return c.req.query('_token') ?? ''
  return /^Bearer +(\S+)$/i.exec(header)?.[1] ?? ''
}

function formatOf(c: Context): Format {
  const format = c.req.header('upstash-response-format') ?? 'json'
  const base64 = c.req.header('upstash-encoding') === 'base64'
  if (format !== 'json' && format !== 'resp2') {
    throw new RequestError(400, 'ERR unknown Upstash-Response-Format: want json or resp2')
  }
  if (format === 'json') return base64 ? 'base64' : 'json'
  if (base64) throw new RequestError(400, 'ERR Upstash-Encoding: base64 does not go with resp2')
  return 'resp2'
}

const bodyOf = async (c: Context) => Buffer.from(await c.req.arrayBuffer())

const awayReply = (error: Error) => ({ error: error.message })

function tooLarge(c: Context) {
  const actual = c.req.header('content-length')
  const said = `ERR max request size exceeded. Limit: ${MAX_BODY} bytes`
  return c.json({ error: actual ? `${said}, Actual: ${actual} bytes` : said }, 413)
}

const json = (c: Context, body: string, status: 200 | 400 = 200) =>
  c.body(body, status, { 'content-type': 'application/json' })

const binary = (c: Context, parts: readonly Buffer[], status: 200 | 400 = 200) =>
  c.body(new Uint8Array(Buffer.concat(parts)), status, {
    'content-type': 'application/octet-stream',
  })

/** The path of a request as a log may show it: one that is a command holds keys. */
function routeOf(c: Context): string {
  return ['/', '/pipeline', '/multi-exec', '/healthz'].includes(c.req.path) ? c.req.path : '/…'
}
