import type { Readable } from 'node:stream'
import { Redis, Command as RedisCommand } from 'ioredis'
import { type Clock, systemClock } from '../clock.ts'
import { createIoRedis } from '../stores/redis-protocol/ioredis-connection.ts'
import { saidBy } from '../stores/redis-protocol/redis-error.ts'
import { enforceSocketTimeout } from '../stores/redis-protocol/socket-timeout.ts'
import type { Command } from './command.ts'
import { keyLocking, PROBE } from './key-locking.ts'
import { outageLog } from './outage-log.ts'
import { isRefusal, toFailure, toReply } from './refusal.ts'
import type { Refusal, Reply } from './reply.ts'
import { redisSubscriptions } from './subscribe.ts'
import { transactions } from './transaction.ts'
import { RedisAway } from './unavailable.ts'

/** The Redis behind the gateway. */
export interface Backend {
  /** Whether it can be asked now. While it cannot, `call` and `transact` reject at once. */
  readonly away: boolean
  /** Rejects with `RedisAway` when there is no answer; a refusal of Redis is a `Reply`. */
  call(command: Command): Promise<Reply>
  /** All commands as one transaction, or none: then the one `Reply` says why. */
  transact(commands: readonly Command[]): Promise<readonly Reply[] | Refusal>
  /** The messages of channels, on a connection of their own, as a stream of events that never ends. */
  subscribe(command: Command): Promise<Readable | Refusal>
  stop(): Promise<void>
}

export interface BackendOptions {
  /**
   * Called with a line when Redis goes away and when it is back: at most one such pair a minute.
   */
  readonly log?: (line: string) => void
  /**
   * How long Redis may be silent while commands wait, in ms, before its connection is given up.
   * @default 5000
   */
  readonly silence?: number
  /**
   * How often Redis is asked while nobody else asks, in ms, so that one that hangs is found first.
   * @default 5000
   */
  readonly probe?: number
  /**
   * By which outages are timed.
   * @default the machine's clock
   */
  readonly clock?: Clock | undefined
}

const CLOSED = 'the connection was closed'

/** More commands at once than this are refused: they would only wait for each other. */
const MOST_AT_ONCE = 10_000

/** One connection, on which commands follow each other without waiting. */
export function redisBackend(url: string, options: BackendOptions = {}): Backend {
  const { log = () => {}, silence = 5000, probe = 5000, clock = systemClock } = options
  const outage = outageLog(log, clock)
  let waiting = 0
  let stopping = false
  let readySince = 0
  let reason = CLOSED
  const locking = keyLocking()

  const connection = createIoRedis(Redis, url, {
    // The shapes of answers that Upstash gives; integers as their digits, which a double may lose.
    protocol: 2,
    stringNumbers: true,
    // While Redis is unavailable, commands fail at once and do not queue.
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(2 ** (times - 1) * 50, 2000) + Math.random() * 100,
    connectTimeout: 5000,
    disableClientInfo: true,
    // After a failover the address may lead to the new master. One that stays a replica must not
    // cost everybody the connection with each write.
    reconnectOnError: ({ message }) => {
      if (!message.startsWith('READONLY') || clock() - readySince < probe) return false
      reason = 'READONLY: it is a replica now'
      return true
    },
  })
  const { redis } = connection
  redis.on('error', (error) => {
    const refused = error === connection.databaseError
    reason = refused ? `it refuses the number of the database: ${wordsOf(error)}` : wordsOf(error)
  })
  redis.on('close', () => {
    transacted.renewed()
    locking.renewed()
    if (!stopping) outage.away(reason)
  })
  redis.on('ready', () => {
    if (connection.databaseError) return outage.away(reason)
    outage.back()
    readySince = clock()
    reason = CLOSED
    send(PROBE).then(locking.isKnown, () => {})
  })
  // After QUIT, and names that ioredis mistakes for it, it would leave the connection closed.
  redis.on('end', () => {
    if (!stopping) redis.connect().catch(() => {})
  })
  const awaitReply = enforceSocketTimeout(redis, silence)
  const probing = setInterval(() => {
    if (connection.databaseError) outage.away(reason)
    if (redis.status === 'ready' && waiting === 0) awaitReply(redis.ping()).catch(() => {})
  }, probe)

  const subscriptions = redisSubscriptions(url, { silence })

  function assertThere(more: number): void {
    if (!connection.isReady) {
      throw new RedisAway('Redis is away, try again later')
    }
    if (waiting + more > MOST_AT_ONCE) throw new RedisAway('Redis is overloaded, try again later')
  }

  /** One write for all commands that requests of the same moment bring, in their order. */
  let corked = false
  function writeTogether(): void {
    if (corked) return
    corked = true
    const { stream } = redis
    stream.cork()
    setImmediate(() => {
      corked = false
      stream.uncork()
    })
  }

  async function send([name, ...args]: Command): Promise<unknown> {
    waiting++
    try {
      writeTogether()
      const command = new RedisCommand(name, args, { replyEncoding: null })
      return await awaitReply(redis.sendCommand(command))
    } catch (error) {
      if (isRefusal(error)) throw error
      throw new RedisAway('Redis went away before it answered')
    } finally {
      waiting--
    }
  }

  const transacted = transactions({ assertThere, send, renew: () => redis.disconnect(true) })

  return {
    get away() {
      return !connection.isReady
    },
    async call(command) {
      assertThere(1)
      const reply = await send(locking.sent(command)).then(toReply, toFailure)
      return locking.answered(reply, command)
    },
    async transact(commands) {
      const replies = await transacted.run(commands.map(locking.sent))
      if ('error' in replies) return replies
      return replies.map((reply, index) => locking.answered(reply, commands[index]))
    },
    async subscribe(command) {
      assertThere(1)
      return subscriptions.open(command)
    },
    async stop() {
      stopping = true
      clearInterval(probing)
      subscriptions.stop()
      redis.disconnect()
    },
  }
}

/** An attempt at several addresses has no words of its own, but a code. */
function wordsOf(error: Error): string {
  const code = 'code' in error ? `${error.code}` : error.name
  return error.message ? saidBy(error) : code
}
