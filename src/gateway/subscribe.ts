import { Readable } from 'node:stream'
import { Redis } from 'ioredis'
import { createIoRedis } from '../stores/redis-protocol/ioredis-connection.ts'
import { type AwaitReply, enforceSocketTimeout } from '../stores/redis-protocol/socket-timeout.ts'
import type { Command } from './command.ts'
import { holdsMoreLists } from './json.ts'
import type { Refusal } from './reply.ts'
import { RedisAway } from './unavailable.ts'

/** Subscriptions to channels, each a stream of events with a connection of its own. */
export interface Subscriptions {
  /** Rejects with `RedisAway` when Redis cannot be asked, or too many are open. */
  open(command: Command): Promise<Readable | Refusal>
  /** Ends all of them. */
  stop(): void
}

export interface SubscriptionsOptions {
  /** How long Redis may take to answer, in ms, before a connection is given up. */
  readonly silence: number
  /**
   * How often Redis is asked whether it is there, and proxies on the way see that we are, in ms.
   * @default 25000
   */
  readonly beat?: number | undefined
}

/** More at once are refused: each is a connection, of which Redis has a bounded number as well. */
const MOST = 100

/** In bytes. A client that is further behind with its reading is given up. */
const MOST_BEHIND = 8 * 1024 * 1024

/** JSON with more lists and objects is sent as a string: parsing it would block all requests. */
const MOST_LISTS = 100_000

/** An event that says nothing: https://html.spec.whatwg.org/multipage/server-sent-events.html */
const COMMENT = ':\n\n'

export function redisSubscriptions(
  url: string,
  { silence, beat = 25_000 }: SubscriptionsOptions,
): Subscriptions {
  const connections = new Set<Redis>()

  return {
    async open([name, ...channels]) {
      if (connections.size >= MOST) throw new RedisAway('Too many subscriptions, try again later')
      const { redis } = createIoRedis(Redis, url, {
        protocol: 2,
        lazyConnect: true,
        enableOfflineQueue: false,
        retryStrategy: () => null,
        connectTimeout: silence,
        disableClientInfo: true,
      })
      connections.add(redis)
      redis.on('end', () => connections.delete(redis))

      const awaitReply = enforceSocketTimeout(redis, silence)
      const events = eventsOf(redis, awaitReply, beat)
      // A client that subscribes is told so, and the first message may come along with that answer.
      channels.forEach((channel, index) => {
        events.push(eventOf(name.toLowerCase(), channel, `${index + 1}`))
      })
      try {
        await redis.connect()
        await awaitReply(redis.call(name.toLowerCase(), ...channels))
        return events
      } catch (error) {
        events.destroy()
        if (error instanceof Error && error.name === 'ReplyError') return { error: error.message }
        throw new RedisAway('Redis is away, try again later')
      }
    },
    stop() {
      for (const redis of connections) redis.disconnect()
    },
  }
}

/** What a connection hears. It ends when the connection does, and the other way round. */
function eventsOf(redis: Redis, awaitReply: AwaitReply, beat: number): Readable {
  const beating = setInterval(() => {
    awaitReply(redis.ping()).catch(() => {})
    events.push(COMMENT)
  }, beat)
  const events = new Readable({
    read() {},
    destroy(error, done) {
      clearInterval(beating)
      redis.disconnect()
      done(error)
    },
  })
  const hear = (...parts: readonly (string | Buffer)[]) => {
    events.push(eventOf(...parts))
    if (events.readableLength > MOST_BEHIND) events.destroy()
  }
  redis.on('messageBuffer', (channel, message) => hear('message', channel, message))
  redis.on('pmessageBuffer', (...parts) => hear('pmessage', ...parts))
  redis.on('end', () => events.push(null))
  return events
}

/** `data: message,channel,text`, as Upstash writes it and its client reads it. */
const eventOf = (...parts: readonly (string | Buffer)[]) =>
  `data: ${parts.map((part) => onOneLine(`${part}`)).join()}\n\n`

/**
 * An event is one line to the client: what comes after a line break it would drop, or take for an
 * event that nobody sent. JSON may as well have blanks there, and other texts it reads as JSON too.
 */
function onOneLine(text: string): string {
  if (!/[\r\n]/.test(text)) return text
  return isJson(text) ? text.replace(/[\r\n]+/g, ' ') : JSON.stringify(text)
}

function isJson(text: string): boolean {
  if (holdsMoreLists(Buffer.from(text), MOST_LISTS)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
