import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { Redis } from 'ioredis'
import { findProgram } from './debian-program.ts'
import { freePort } from './listen.ts'

/** A Redis of the tests' own, and how to stop it. */
export interface RedisServer {
  readonly url: string
  /** Stops it in order, or by SIGKILL as a crash would. Once is enough. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

export interface SpawnOptions {
  /**
   * @default one that is free
   */
  readonly port?: number
  /** Further settings: `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[]
  /** A file of settings, which a sentinel cannot do without. */
  readonly config?: string
}

/** The Redis that REDIS_URL names, or one of the tests' own. */
export async function startRedis(): Promise<RedisServer> {
  const given = process.env.REDIS_URL
  return given ? { url: given, stop: async () => {} } : spawnRedis()
}

/**
 * Starts a Redis from the PATH on a free loopback port, with nothing persisted. Where none is
 * installed Debian's package is, if that is allowed.
 */
export async function spawnRedis(options: SpawnOptions = {}): Promise<RedisServer> {
  const { port = await freePort(), args = [], config } = options
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  // A replica writes files when it starts; they are deleted.
  const files = ['--dir', tmpdir(), '--rdb-del-sync-files', 'yes']
  const server = spawn(findRedis(), [...(config ? [config] : []), ...settings, ...files, ...args], {
    stdio: 'ignore',
  })
  // Also when the run is broken off, or a worker ended by Vitest, no server stays behind.
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  if (process.listenerCount('SIGTERM') === 0) process.once('SIGTERM', () => process.exit())
  const url = `redis://127.0.0.1:${port}`
  await waitUntilReady(url)
  return {
    url,
    async stop(signal = 'SIGTERM') {
      process.off('exit', kill)
      if (server.exitCode !== null || server.signalCode !== null) return
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill(signal)
      await ended
    },
  }
}

const findRedis = () =>
  findProgram('redis-server', 'redis-server', ', or name a Redis in REDIS_URL')

async function waitUntilReady(url: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 100, retryStrategy: () => 50 })
  redis.on('error', () => {})
  try {
    await redis.ping()
  } finally {
    redis.disconnect()
  }
}
