import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, inject, test, vi } from 'vitest'

// Each test starts four processes.
vi.setConfig({ testTimeout: 30_000 })

const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** Starts a process that takes, and hands back how to begin and what it was granted. */
async function startTaker(...args: readonly string[]) {
  const child = spawn(process.execPath, ['tests/support/taker.ts', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    begin: () => child.stdin.write('begin\n'),
    granted: async () => Number(/granted (\d+)/.exec((await lines.next()).value ?? '')?.[1]),
  }
}

describe('of 1,000 takes at once from four processes exactly the limit of 100 is granted', () => {
  const kinds = {
    'ioredis alone': ['ioredis', 'ioredis', 'ioredis', 'ioredis'],
    'iovalkey alone': ['iovalkey', 'iovalkey', 'iovalkey', 'iovalkey'],
    'node-redis alone': ['node-redis', 'node-redis', 'node-redis', 'node-redis'],
    'all of them together': ['ioredis', 'iovalkey', 'node-redis', 'ioredis'],
  }
  for (const [name, clients] of Object.entries(kinds)) {
    test(name, async () => {
      const client = crypto.randomUUID()
      const takers = await Promise.all(
        clients.map((kind) => startTaker(kind, inject('redisUrl'), client, '100', '250')),
      )
      for (const taker of takers) taker.begin()
      const granted = await Promise.all(takers.map((taker) => taker.granted()))
      expect(granted.reduce((sum, count) => sum + count)).toBe(100)
    })
  }
})
