import type { Readable } from 'node:stream'
import { Redis, Command as RedisCommand } from 'ioredis'
import { type Clock, systemClock } from '../clock.ts'
import { redactedMessage } from '../redact.ts'
import { createIoRedis } from '../stores/redis-protocol/ioredis-connection.ts'
import { enforceSocketTimeout } from '../stores/redis-protocol/socket-timeout.ts'
import type { Command } from './command.ts'
import { KEY_LOCKING_PROBE, keyLocking } from './key-locking.ts'
import { outageLog } from './outage-log.ts'
import { RedisUnavailable } from './redis-unavailable.ts'
import { type ErrorReply, isReplyError, type Reply, toErrorReply, toReply } from './reply.ts'
import { redisSubscriptions } from './subscriptions.ts'
import { transactions } from './transaction.ts'

/** The Redis behind the gateway. */
export interface Backend {
  /** Whether commands can be sent now. If not, `call` and `transact` reject at once. */
  readonly isAvailable: boolean
  /** Rejects with `RedisUnavailable` if there is no reply. An error of Redis is a `Reply`. */
  call(command: Command): Promise<Reply>
  /** Runs all commands as one transaction, or none of them and resolves to the error. */
  transact(commands: readonly Command[]): Promise<readonly Reply[] | ErrorReply>
  /** The messages of channels as an endless stream of events, on a connection of their own. */
  subscribe(command: Command): Promise<Readable | ErrorReply>
  stop(): Promise<void>
}

export interface BackendOptions {
  /**
   * Called with a line when Redis becomes unavailable and when it is available again: at most one
   * such pair a minute.
   */
  readonly log?: (line: string) => void
  /**
   * How long to wait for a reply, in ms, before the connection is closed.
   * @default 5000
   */
  readonly socketTimeout?: number
  /**
   * How often an idle connection is tested by a PING, in ms. It detects a Redis that hangs before
   * the next request does.
   * @default 5000
   */
  readonly pingInterval?: number
  /**
   * Measures how long outages last.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

const CLOSED = 'the connection was closed'

/** Beyond this number, commands would only wait for each other. */
const MAX_PENDING_COMMANDS = 10_000

/** Sends all commands on one connection, each without waiting for the reply to the previous one. */
export function redisBackend(url: string, options: BackendOptions = {}): Backend {
  const { log = () => {}, socketTimeout = 5000, pingInterval = 5000, clock = systemClock } = options
  const outage = outageLog(log, clock)
  const locking = keyLocking()
  let pending = 0
  let stopping = false
  let readySince = 0
  let reason = CLOSED

  const connection = createIoRedis(Redis, url, {
    // Replies in the shapes that Upstash returns. A double could not hold all integers.
    protocol: 2,
    stringNumbers: true,
    // While Redis is unavailable, commands fail at once and do not queue.
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(2 ** (times - 1) * 50, 2000) + Math.random() * 100,
    connectTimeout: 5000,
    disableClientInfo: true,
    // After a failover the address may lead to the new primary. If it still leads to a replica,
    // this reconnects at most once per `pingInterval`, since a reconnect fails all pending
    // requests.
    reconnectOnError: ({ message }) => {
      if (!message.startsWith('READONLY') || clock() - readySince < pingInterval) return false
      reason = 'READONLY: the server is a replica now'
      return true
    },
  })
  const { redis } = connection
  redis.on('error', (error) => {
    const isRefused = error === connection.databaseError
    reason = isRefused ? `it rejects the database number: ${textOf(error)}` : textOf(error)
  })
  redis.on('close', () => {
    transacted.disconnected()
    locking.disconnected()
    if (!stopping) outage.unavailable(reason)
  })
  redis.on('ready', () => {
    if (connection.databaseError) return outage.unavailable(reason)
    outage.available()
    readySince = clock()
    reason = CLOSED
    send(KEY_LOCKING_PROBE).then(locking.accepted, () => {})
  })
  // ioredis does not reconnect after QUIT, nor after names that it mistakes for QUIT.
  redis.on('end', () => {
    if (!stopping) redis.connect().catch(() => {})
  })
  const awaitReply = enforceSocketTimeout(redis, socketTimeout)
  const pinging = setInterval(() => {
    if (connection.databaseError) outage.unavailable(reason)
    if (redis.status === 'ready' && pending === 0) awaitReply(redis.ping()).catch(() => {})
  }, pingInterval)

  const subscriptions = redisSubscriptions(url, { socketTimeout })

  function assertAvailable(commands: number): void {
    if (!connection.isReady) throw new RedisUnavailable('Redis is unavailable, try again later')
    if (pending + commands > MAX_PENDING_COMMANDS) {
      throw new RedisUnavailable('Redis is overloaded, try again later')
    }
  }

  /**
   * Writes the commands of all requests of one turn of the event loop to the socket at once, in
   * order.
   */
  let isCorked = false
  function writeTogether(): void {
    if (isCorked) return
    isCorked = true
    const { stream } = redis
    stream.cork()
    setImmediate(() => {
      isCorked = false
      stream.uncork()
    })
  }

  async function send([name, ...args]: Command): Promise<unknown> {
    pending++
    try {
      writeTogether()
      const command = new RedisCommand(name, args, { replyEncoding: null })
      return await awaitReply(redis.sendCommand(command))
    } catch (error) {
      if (isReplyError(error)) throw error
      throw new RedisUnavailable('Redis closed the connection before it replied')
    } finally {
      pending--
    }
  }

  const transacted = transactions({
    assertAvailable,
    send,
    reconnect: () => redis.disconnect(true),
  })

  return {
    get isAvailable() {
      return connection.isReady
    },
    async call(command) {
      assertAvailable(1)
      const reply = await send(locking.toRedis(command)).then(toReply, toErrorReply)
      return locking.toClient(reply, command)
    },
    async transact(commands) {
      const replies = await transacted.run(commands.map(locking.toRedis))
      if ('error' in replies) return replies
      return replies.map((reply, index) => locking.toClient(reply, commands[index]))
    },
    async subscribe(command) {
      assertAvailable(1)
      return subscriptions.open(command)
    },
    async stop() {
      stopping = true
      clearInterval(pinging)
      subscriptions.stop()
      redis.disconnect()
    },
  }
}

/** The text of an error for the log. The error of several addresses has only a code. */
function textOf(error: Error): string {
  const code = 'code' in error ? `${error.code}` : error.name
  return error.message ? redactedMessage(error) : code
}
