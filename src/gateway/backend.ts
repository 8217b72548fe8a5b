import type { Readable } from 'node:stream'
import { Redis } from 'ioredis'
import { systemClock } from '../clock.ts'
import { RedisAway } from './away.ts'
import type { Command } from './command.ts'
import type { Refusal, Reply } from './reply.ts'
import { redisSubscriptions } from './subscribe.ts'

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
  /** Told in one line when Redis goes away and when it is back. */
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
}

/** More commands at once than this are refused: they would only wait for each other. */
const MOST_AT_ONCE = 10_000

/**
 * One connection, on which commands follow each other without waiting. What is sent in one go stays
 * together on it, which is all that a transaction needs.
 */
export function redisBackend(url: string, options: BackendOptions = {}): Backend {
  const { log = () => {}, silence = 5000, probe = 5000 } = options
  let waiting = 0
  let stopping = false
  let lost: { readonly since: number } | undefined
  let reason = 'the connection was closed'
  /** Whether Redis lets this user have transactions, found out once for each connection. */
  let transacts = false
  /** ioredis goes on in database 0 if another one is refused: no place for anybody's counts. */
  let astray = false

  const redis = new Redis(url, {
    // The shapes of answers that Upstash gives; integers as their digits, which a double may lose.
    protocol: 2,
    stringNumbers: true,
    // Nothing waits for a Redis that is away, and nothing is sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(2 ** (times - 1) * 50, 2000) + Math.random() * 100,
    connectTimeout: 5000,
    socketTimeout: silence,
    disableClientInfo: true,
  })
  redis.on('error', (error: Error & { readonly command?: { readonly name?: string } }) => {
    reason = wordsOf(error)
    if (error.command?.name !== 'select') return
    astray = true
    log(`Redis refuses the number of the database (${reason}): answering 503`)
  })
  redis.on('connect', () => {
    astray = false
  })
  redis.on('close', () => {
    transacts = false
    if (stopping || lost) return
    lost = { since: systemClock() }
    log(`Redis is away (${reason}): answering 503 until it is back`)
  })
  redis.on('ready', () => {
    if (lost) log(`Redis is back after ${((systemClock() - lost.since) / 1000).toFixed(1)} s`)
    lost = undefined
    reason = 'the connection was closed'
  })
  const probing = setInterval(() => {
    if (redis.status === 'ready' && waiting === 0) redis.ping().catch(() => {})
  }, probe)

  const subscriptions = redisSubscriptions(url, { silence })

  function assertThere(more: number): void {
    if (redis.status !== 'ready' || astray) {
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
      return await redis.callBuffer(name, ...args)
    } catch (error) {
      if (isRefusal(error)) throw error
      throw new RedisAway('Redis went away before it answered')
    } finally {
      waiting--
    }
  }

  return {
    get away() {
      return redis.status !== 'ready' || astray
    },
    async call(command) {
      assertThere(1)
      return send(command).then(toReply, toFailure)
    },
    async transact(commands) {
      assertThere(commands.length + 4)
      if (!transacts) {
        // Without the right to MULTI each command would run by itself, and EXEC alone would fail.
        const [multi, exec] = await Promise.allSettled([send(['MULTI']), send(['EXEC'])])
        const refused = [multi, exec].find(({ status }) => status === 'rejected')
        // Half of a right would leave the connection in a transaction that nobody can end.
        if (refused && multi?.status === 'fulfilled') redis.disconnect(true)
        if (refused?.status === 'rejected') return toFailure(refused.reason)
        transacts = true
        assertThere(commands.length + 2)
      }
      // All are written before anything else can be: no await stands between them.
      const queued = [['MULTI'] as const, ...commands].map(send)
      const [done] = await Promise.allSettled([send(['EXEC']), ...queued])
      if (done.status === 'rejected') return toFailure(done.reason)
      if (Array.isArray(done.value)) return done.value.map(toReply)
      return { error: 'EXECABORT Transaction discarded' }
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

const toReply = (value: unknown): Reply =>
  value instanceof Error ? { error: value.message } : { value }

/**
 * A refusal of Redis is an answer. That it is still loading, or has lost its master, is none: both
 * pass by themselves, as an outage does.
 */
function toFailure(error: unknown): Refusal {
  if (!isRefusal(error)) throw error
  if (!/^(LOADING|MASTERDOWN)\b/.test(error.message)) return { error: error.message }
  throw new RedisAway('Redis is not ready yet, try again later')
}

/** ioredis has no type for the errors that Redis itself answered. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError'

/** An attempt at several addresses has no words of its own, but a code. */
function wordsOf(error: Error): string {
  const code = 'code' in error ? `${error.code}` : error.name
  return error.message || code
}
