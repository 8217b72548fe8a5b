import { timingSafeEqual } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Redis } from 'ioredis'

export interface GatewayOptions {
  /** Where commands go. */
  readonly redis: Redis
  /** What `Authorization: Bearer …` must hold, on every route. */
  readonly token: string
}

type Command = readonly [name: string, ...args: string[]]

/** What a command came to, as Upstash writes it. */
type Reply = { readonly result: unknown } | { readonly error: string }

/**
 * Upstash's REST protocol over a Redis: `POST /`, `/pipeline` and `/multi-exec`, in JSON or base64.
 * For tests and local development: it passes every command on, so give the token to nobody.
 * https://upstash.com/docs/redis/features/restapi
 */
export function gateway({ redis, token }: GatewayOptions): Hono {
  const app = new Hono()

  app.use(async (c, next) => {
    const given = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
    if (!equals(given, token)) return c.json({ error: 'Unauthorized' }, 401)
    return next()
  })
  app.use(bodyLimit({ maxSize: 10 * 1024 * 1024 }))

  app.post('/', async (c) => {
    const command = parseCommand(await c.req.json().catch(() => undefined))
    if (!command) return c.json({ error: 'ERR failed to parse command' }, 400)
    const reply = await run(command)
    return c.json(encode(reply, c.req.header('upstash-encoding')), 'error' in reply ? 400 : 200)
  })

  app.post('/pipeline', async (c) => {
    const commands = parseCommands(await c.req.json().catch(() => undefined))
    if (!commands) return c.json({ error: 'ERR failed to parse pipeline request' }, 400)
    const replies = await Promise.all(commands.map(run))
    return c.json(replies.map((reply) => encode(reply, c.req.header('upstash-encoding'))))
  })

  app.post('/multi-exec', async (c) => {
    const commands = parseCommands(await c.req.json().catch(() => undefined))
    if (!commands) return c.json({ error: 'ERR failed to parse multi-exec request' }, 400)
    const transaction = redis.multi()
    for (const [name, ...args] of commands) transaction.callBuffer(name, ...args)
    try {
      const results = (await transaction.exec()) ?? []
      const replies = results.map(([error, result]) => (error ? failed(error) : { result }))
      return c.json(replies.map((reply) => encode(reply, c.req.header('upstash-encoding'))))
    } catch (error) {
      return c.json(failed(error), 400)
    }
  })

  app.notFound((c) => c.json({ error: 'ERR unknown path or method' }, 405))
  return app

  async function run([name, ...args]: Command): Promise<Reply> {
    if (OF_A_CONNECTION.test(name)) return { error: `ERR ${name} is not available over REST` }
    try {
      return { result: await redis.callBuffer(name, ...args) }
    } catch (error) {
      return failed(error)
    }
  }
}

/** Commands that would change the one connection that all requests share. */
const OF_A_CONNECTION =
  /^(multi|exec|discard|watch|unwatch|[ps]?subscribe|[ps]?unsubscribe|monitor|select|auth|hello|reset|quit|client)$/i

const failed = (error: unknown) => ({
  error: error instanceof Error ? error.message : String(error),
})

function equals(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function parseCommand(body: unknown): Command | undefined {
  if (!Array.isArray(body) || body.length === 0) return undefined
  if (!body.every((part) => ['string', 'number', 'boolean'].includes(typeof part))) return undefined
  const [name = '', ...args] = body.map(String)
  return [name, ...args]
}

function parseCommands(body: unknown): readonly Command[] | undefined {
  if (!Array.isArray(body) || body.length === 0) return undefined
  const commands = body.flatMap((entry) => {
    const command = parseCommand(entry)
    return command ? [command] : []
  })
  return commands.length === body.length ? commands : undefined
}

/** Texts come from Redis as bytes; in base64 all but "OK" go out as such. */
function encode(reply: Reply, encoding: string | undefined): Reply {
  if ('error' in reply) return reply
  const text = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(text)
    if (!Buffer.isBuffer(value)) return value
    const plain = value.toString()
    return encoding === 'base64' && plain !== 'OK' ? value.toString('base64') : plain
  }
  return { result: text(reply.result) }
}
