import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RedisCommands } from '../../src/stores/redis-protocol/redis-commands.ts'
import { redisStore } from '../../src/stores/redis-protocol/redis-store.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('a healing without an answer is aborted after 10 s, and kept alive no longer', async () => {
  let signal: AbortSignal | undefined
  const look: RedisCommands['eval'] = (_script, _keys, _args, options) => {
    signal = options?.signal
    return new Promise(() => {})
  }
  const store = redisStore(
    {
      eval: look,
      evalsha: look,
      incrby: () => Promise.reject(new Error('no answer')),
    },
    { name: 'silent', prefix: 'k' },
  )
  let isKept = true
  const taken = store.take([{ policy: '', client: 'a', limit: 9, window: 1000, cost: 1 }], {
    observed: { used: 1, isOpen: () => true },
    waitUntil: (work) => void work.then(() => (isKept = false)),
  })
  await expect(taken).rejects.toMatchObject({ code: 'unreachable' })
  await vi.advanceTimersByTimeAsync(9999)
  expect({ isKept, isAborted: signal?.aborted }).toEqual({ isKept: true, isAborted: false })
  await vi.advanceTimersByTimeAsync(1)
  expect({ isKept, isAborted: signal?.aborted }).toEqual({ isKept: false, isAborted: true })
})
