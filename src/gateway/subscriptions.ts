import { Readable } from 'node:stream'
import { Redis } from 'ioredis'
import { createIoRedis } from '../stores/redis-protocol/ioredis-connection.ts'
import { type AwaitReply, enforceSocketTimeout } from '../stores/redis-protocol/socket-timeout.ts'
import type { Command } from './command.ts'
import { holdsMoreLists } from './json-scan.ts'
import { RedisUnavailable } from './redis-unavailable.ts'
import { type ErrorReply, isReplyError } from './reply.ts'

/** Subscriptions to channels, each a stream of events with a connection of its own. */
export interface Subscriptions {
  /** Rejects with `RedisUnavailable` if Redis cannot be reached, or too many are open. */
  open(command: Command): Promise<Readable | ErrorReply>
  /** Ends all of them. */
  stop(): void
}

export interface SubscriptionsOptions {
  /** How long to wait for Redis, in ms, before the connection is closed. */
  readonly socketTimeout: number
  /**
   * How often a PING goes to Redis and an empty event to the client, in ms. The event keeps proxies
   * from closing the stream.
   * @default 25000
   */
  readonly heartbeat?: number | undefined
}

/** Each subscription is a connection, and Redis accepts a limited number of them. */
const MAX_SUBSCRIPTIONS = 100

/** The stream of a client that has more unread bytes is closed. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024

/** JSON with more lists and objects is sent as a string: parsing it would block all requests. */
const MAX_LISTS = 100_000

/**
 * A comment, which clients ignore: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
const SSE_COMMENT = ':\n\n'

export function redisSubscriptions(
  url: string,
  { socketTimeout, heartbeat = 25_000 }: SubscriptionsOptions,
): Subscriptions {
  const connections = new Set<Redis>()

  return {
    async open([name, ...channels]) {
      if (connections.size >= MAX_SUBSCRIPTIONS) {
        throw new RedisUnavailable('Too many subscriptions, try again later')
      }
      const { redis } = createIoRedis(Redis, url, {
        protocol: 2,
        lazyConnect: true,
        enableOfflineQueue: false,
        retryStrategy: () => null,
        connectTimeout: socketTimeout,
        disableClientInfo: true,
      })
      connections.add(redis)
      redis.on('end', () => connections.delete(redis))

      const awaitReply = enforceSocketTimeout(redis, socketTimeout)
      const events = eventStream(redis, awaitReply, heartbeat)
      // The confirmations that Upstash sends. They are queued before Redis replies, because the
      // first message may arrive together with the reply.
      channels.forEach((channel, index) => {
        events.push(eventOf(name.toLowerCase(), channel, `${index + 1}`))
      })
      try {
        await redis.connect()
        await awaitReply(redis.call(name.toLowerCase(), ...channels))
        return events
      } catch (error) {
        events.destroy()
        if (isReplyError(error)) return { error: error.message }
        throw new RedisUnavailable('Redis is unavailable, try again later')
      }
    },
    stop() {
      for (const redis of connections) redis.disconnect()
    },
  }
}

/**
 * Returns the messages of a connection as a stream. When one of the two ends, the other ends too.
 */
function eventStream(redis: Redis, awaitReply: AwaitReply, heartbeat: number): Readable {
  const heartbeats = setInterval(() => {
    awaitReply(redis.ping()).catch(() => {})
    events.push(SSE_COMMENT)
  }, heartbeat)
  const events = new Readable({
    read() {},
    destroy(error, done) {
      clearInterval(heartbeats)
      redis.disconnect()
      done(error)
    },
  })
  const push = (...parts: readonly (string | Buffer)[]) => {
    events.push(eventOf(...parts))
    if (events.readableLength > MAX_UNREAD_BYTES) events.destroy()
  }
  redis.on('messageBuffer', (channel, message) => push('message', channel, message))
  redis.on('pmessageBuffer', (...parts) => push('pmessage', ...parts))
  redis.on('end', () => events.push(null))
  return events
}

/** `data: message,channel,text`, as Upstash writes it and its client reads it. */
const eventOf = (...parts: readonly (string | Buffer)[]) =>
  `data: ${parts.map((part) => onOneLine(`${part}`)).join()}\n\n`

/**
 * Clients read one line per event. They would drop the text after a line break, or take it for
 * another event. In JSON a line break becomes a space. Another text becomes a JSON string, which
 * clients decode.
 */
function onOneLine(text: string): string {
  if (!/[\r\n]/.test(text)) return text
  return isJson(text) ? text.replace(/[\r\n]+/g, ' ') : JSON.stringify(text)
}

function isJson(text: string): boolean {
  if (holdsMoreLists(Buffer.from(text), MAX_LISTS)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
