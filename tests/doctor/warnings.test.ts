import { afterAll, describe, expect, test } from 'vitest'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { startOrigin } from '../support/origin.ts'
import { passTime } from '../support/pass-time.ts'
import { virtualTime } from './support/virtual-time.ts'
import { examine, over, patient, ward } from './support/ward.ts'

const { server, redis, connect, spawn, gatewayTo, later, end } = await ward()
afterAll(end)

describe('what will go wrong is a warning', () => {
  test('memory 90 % full, and a policy that evicts counts', async () => {
    const small = await spawn({
      args: ['--maxmemory', '20mb', '--maxmemory-policy', 'allkeys-lru'],
    })
    const client = connect(small.url)
    const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    for (let key = 0; (await used()) < 0.9 * 20 * 2 ** 20; key++) {
      await client.set(`filler:${key}`, 'x'.repeat(100_000))
    }
    const { ok, level, of } = await examine(over(client), patient)
    expect({ ok, level }).toEqual({ ok: true, level: 'warning' })
    expect(of.memory?.says).toMatch(/^9\d % of maxmemory is used \(.* of 20\.0 MiB\)\.$/)
    expect([of.memory?.level, of.eviction?.level]).toEqual(['warning', 'warning'])
    expect(of.memory?.remedy).toContain('Raise maxmemory')
    expect(of.eviction?.says).toContain('may evict counts (allkeys-lru)')
    expect(of.eviction?.remedy).toContain('noeviction')
    expect(of.evicted?.level).toBe('ok')

    for (let key = 0; key < 60; key++) await client.set(`more:${key}`, 'x'.repeat(100_000))
    expect((await examine(over(client), patient)).of.evicted).toMatchObject({
      level: 'warning',
      says: expect.stringMatching(/^\d+ keys were evicted/),
    })
    expect((await examine(over(client), { ...patient, maxMemory: 1 })).levels.memory).toBe('ok')
  })

  test('memory that is full, where nothing is evicted, is a failure', async () => {
    const full = await spawn({ args: ['--maxmemory', '1mb'] })
    const { of } = await examine(over(connect(full.url)))
    expect(of.write).toMatchObject({ level: 'failure', says: expect.stringContaining('OOM') })
    expect(of.write?.remedy).toContain('Raise maxmemory')
    expect(of.memory?.level).toBe('warning')
  })

  test('a server whose clock is an hour off, on either side', async () => {
    const gateway = await gatewayTo(server.url)
    for (const [seconds, words] of [
      [3600, '60 min ahead of this machine’s'],
      [-3600, '60 min behind this machine’s'],
    ] as const) {
      const fake = await shiftedClock(gateway.url, seconds)
      const { ok, of } = await examine({ url: fake, token: gateway.token }, patient)
      expect(ok).toBe(true)
      expect(of.clock).toMatchObject({
        level: 'warning',
        says: expect.stringContaining(words),
        remedy: expect.stringContaining('NTP'),
      })
      expect(of.expiry?.level).toBe('ok')
    }
  })

  test('a slow store, and one that fails now and then', async () => {
    const { clock, doctor } = virtualTime()
    const fast = memory({ clock })
    let sent = 0
    const store: Store = {
      take(demands) {
        clock.advance(15)
        if (++sent % 10 === 0) throw new Error('ERR an error of the tests')
        return fast.take(demands)
      },
    }
    const { of } = await passTime(clock, examine(store, { probes: 9 }, doctor))
    expect(of.latency?.says).toBe(
      'p50 15 ms, p99 15 ms over 8 round trips: half of all checks wait longer than 10 ms.',
    )
    expect(of.errors?.says).toMatch(/^1 of 9 round trips failed/)
    expect(of.retries?.level).toBe('ok')
    sent = 0
    const { levels } = await passTime(clock, examine(store, { ...patient, probes: 9 }, doctor))
    expect(levels.latency).toBe('ok')
  })

  test('a URL for plain text beyond this machine', async () => {
    for (const [address, level] of [
      ['redis://user:secret-of-url@cache.example.com:6379', 'warning'],
      ['rediss://cache.example.com', 'ok'],
      ['redis://localhost', 'ok'],
      ['redis://[::1]:6379', 'ok'],
      ['redis://127.0.0.1.example.com', 'warning'],
    ] as const) {
      const { levels } = await examine(over(redis), { ...patient, probes: 1, address })
      expect({ address, level: levels.tls }).toEqual({ address, level })
    }
  })
})

/**
 * A server whose clock is wrong: a proxy to a gateway that changes the reply to TIME. (libfaketime
 * cannot run Debian's Redis, whose allocator reads the time before libfaketime is set up.)
 */
async function shiftedClock(gatewayUrl: string, seconds: number): Promise<string> {
  const origin = await startOrigin(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const { authorization = '' } = request.headers
    const answer = await fetch(gatewayUrl, { method: 'POST', headers: { authorization }, body })
    const json = await answer.text()
    const shift = (_: string, time: string) => `["${Number(time) + seconds}"`
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(body === '["TIME"]' ? json.replace(/\["(\d+)"/, shift) : json)
  })
  later(() => origin.stop())
  return origin.url
}
