import { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, inject, test } from 'vitest'
import { random } from '../../src/simulation/random.ts'
import { type Delay, drawDelay, type Fault } from '../support/faults/fault.ts'
import { faultProxy } from '../support/faults/fault-proxy.ts'
import { pause } from '../support/pause.ts'

const { url, token } = inject('gateway')
const redisUrl = inject('redisUrl')

/** A client of one face, which sends an INCR and gives up after `ms`. */
interface Client {
  incr(key: string, ms?: number): Promise<unknown>
  stop(): void
}

const FACES = {
  HTTP: {
    url,
    client: (proxyUrl: string): Client => ({
      incr: (key, ms) => postIncr(proxyUrl, key, ms),
      stop() {},
    }),
  },
  RESP: {
    url: redisUrl,
    client(proxyUrl: string): Client {
      const options = { maxRetriesPerRequest: 0, retryStrategy: () => 5 }
      const redis = new Redis(proxyUrl, options).on('error', () => {})
      return {
        incr: (key, ms = 2000) =>
          Promise.race([
            redis.incr(key),
            pause(ms).then(() => Promise.reject(new Error('too late'))),
          ]),
        stop: () => redis.disconnect(),
      }
    },
  },
}

const truth = new Redis(redisUrl, { lazyConnect: true })
const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
})
afterAll(() => truth.disconnect())

async function start(face: keyof typeof FACES, seed?: number) {
  const proxy = await faultProxy({ url: FACES[face].url, ...(seed && { seed }) })
  ended.push(() => proxy.close())
  const client = FACES[face].client(proxy.url)
  ended.push(() => client.stop())
  return { proxy, client, key: crypto.randomUUID() }
}

const countOf = async (key: string) => Number(await truth.get(key))

describe.each(['HTTP', 'RESP'] as const)('over %s', (face) => {
  test('without a fault, calls are passed on and counted', async () => {
    const { proxy, client, key } = await start(face)
    expect(await client.incr(key)).toBe(1)
    const together = await Promise.all([client.incr(key), client.incr(key), client.incr(key)])
    expect(together.sort()).toEqual([2, 3, 4])
    expect(proxy.calls).toBe(4)
    expect(proxy.sockets).toBeGreaterThan(0)
  })

  test('a refused call fails at once, and the port comes back', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'refuse' })
    expect(proxy.sockets).toBe(0)
    const since = performance.now()
    await expect(client.incr(key)).rejects.toThrow()
    expect(performance.now() - since).toBeLessThan(1000)
    expect(proxy.sockets).toBe(0)
    await proxy.set({ kind: 'none' })
    await pause(20)
    expect(await client.incr(key)).toBe(2)
  })

  test('calls that hang are passed on when the fault ends', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'hang' })
    const hanging = [client.incr(key, 100), client.incr(key, 100), client.incr(key)]
    await expect(hanging[0]).rejects.toThrow()
    await expect(hanging[1]).rejects.toThrow()
    expect(await countOf(key)).toBe(1)
    await proxy.set({ kind: 'none' })
    expect(await hanging[2]).toBeGreaterThan(1)
    await expect.poll(() => countOf(key)).toBe(4)
    expect(await client.incr(key)).toBe(5)
  })

  test('a call that hangs can be dropped instead', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'hang', afterwards: 'drop' })
    const hanging = client.incr(key)
    hanging.catch(() => {})
    await pause(50)
    await proxy.set({ kind: 'none' })
    await expect(hanging).rejects.toThrow()
    await pause(20)
    expect(await client.incr(key)).toBe(2)
  })

  test('a slow answer is late, and its call ran at once', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'slow', delay: 500 })
    const since = performance.now()
    const late = client.incr(key)
    await expect.poll(() => countOf(key)).toBe(2)
    expect(performance.now() - since).toBeLessThan(450)
    expect(await late).toBe(2)
    expect(performance.now() - since).toBeGreaterThan(495)
  })

  test('a slow call runs late, even after its client has hung up', async () => {
    const { proxy, client, key } = await start(face)
    await proxy.set({ kind: 'slow', delay: 200, holds: 'call' })
    await expect(client.incr(key, 100)).rejects.toThrow()
    client.stop()
    expect(await countOf(key)).toBe(0)
    await expect.poll(() => countOf(key)).toBe(1)
  })

  test.each(['cut', 'reset'] as const)(
    '%s: the call runs, and its answer is lost',
    async (kind) => {
      const { proxy, client, key } = await start(face)
      await client.incr(key)
      await proxy.set({ kind })
      await expect(client.incr(key)).rejects.toThrow()
      expect(await countOf(key)).toBe(2)
      await proxy.set({ kind: 'none' })
      await pause(20)
      expect(await client.incr(key)).toBe(3)
    },
  )

  test('garbage is no answer, and the call does not run', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'garbage' })
    await expect(client.incr(key)).rejects.toThrow()
    expect(await countOf(key)).toBe(1)
  })

  test('some calls fail, and the same seed lets the same calls fail', async () => {
    const pattern = async (seed: number, fault: Extract<Fault, { kind: 'some' }>) => {
      const { proxy, client, key } = await start(face, seed)
      await client.incr(key)
      await proxy.set(fault)
      const found: string[] = []
      for (let call = 0; call < 20; call++) {
        found.push(
          await client.incr(key).then(
            () => 'yes',
            () => 'no',
          ),
        )
        await pause(10)
      }
      return found.join(' ')
    }
    const half = { kind: 'some', share: 0.5, fault: { kind: 'reset' } } as const
    const first = await pattern(1, half)
    expect(first.match(/no/g)?.length).toBeGreaterThan(4)
    expect(first.match(/yes/g)?.length).toBeGreaterThan(4)
    expect(await pattern(1, half)).toBe(first)
    expect(await pattern(2, half)).not.toBe(first)
  })

  test('flaps between a fault and none', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'flap', downMs: 100, upMs: 100, fault: { kind: 'refuse' } })
    const found: boolean[] = []
    for (let at = 0; at < 20; at++) {
      found.push(
        await client.incr(key).then(
          () => true,
          () => false,
        ),
      )
      await pause(20)
    }
    const changes = found.filter((isUp, index) => isUp !== found[index - 1]).length
    expect(found[0]).toBe(false)
    expect(changes).toBeGreaterThanOrEqual(3)
    await proxy.set({ kind: 'none' })
    await pause(120)
    expect(await client.incr(key)).toBeGreaterThan(1)
  })

  test('one isolate is cut off, and another is not', async () => {
    const cut = await start(face)
    const other = await start(face)
    await cut.proxy.set({ kind: 'refuse' })
    await expect(cut.client.incr(cut.key)).rejects.toThrow()
    expect(await other.client.incr(cut.key)).toBe(1)
  })

  test('after close nothing is left, whatever hangs', async () => {
    const { proxy, client, key } = await start(face)
    await client.incr(key)
    await proxy.set({ kind: 'hang' })
    const hanging = client.incr(key)
    hanging.catch(() => {})
    await expect.poll(() => proxy.calls).toBe(2)
    const before = await connectionsOf(truth)
    await proxy.close()
    await expect(hanging).rejects.toThrow()
    expect(proxy.sockets).toBe(0)
    if (face === 'RESP') await expect.poll(() => connectionsOf(truth)).toBe(before - 1)
    expect(await countOf(key)).toBe(1)
  })
})

describe('delays', () => {
  const draw = (delay: Delay, seed = 1) => {
    const { next } = random(seed, 'delays')
    return Array.from({ length: 1000 }, () => drawDelay(delay, next)).sort((a, b) => a - b)
  }

  test('are spread evenly', () => {
    const drawn = draw({ from: 100, to: 300 })
    expect(drawn[0]).toBeGreaterThanOrEqual(100)
    expect(drawn[999]).toBeLessThan(300)
    expect(Math.abs((drawn[500] ?? 0) - 200)).toBeLessThan(10)
  })

  test('are log-normal, with a long tail', () => {
    const drawn = draw({ median: 100, sigma: 1 })
    expect(Math.abs((drawn[500] ?? 0) - 100)).toBeLessThan(10)
    // 84 % of a normal distribution lie below one standard deviation.
    expect(Math.abs((drawn[841] ?? 0) - 100 * Math.E)).toBeLessThan(40)
  })

  test('are the same for the same seed', () => {
    const delay = { from: 0, to: 1000 }
    expect(draw(delay)).toEqual(draw(delay))
    expect(draw(delay, 2)).not.toEqual(draw(delay))
  })
})

describe('answers of a server in trouble', () => {
  test.each([400, 429, 500, 502, 503])('HTTP %i', async (status) => {
    const { proxy, key } = await start('HTTP')
    const headers = { 'retry-after': '7' }
    await proxy.set({ kind: 'status', status, body: '{"error":"no"}', headers })
    const response = await post(proxy.url, key)
    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe('7')
    expect(await response.json()).toEqual({ error: 'no' })
    expect(await countOf(key)).toBe(0)
  })

  test.each([
    'LOADING Redis is loading the dataset in memory',
    "OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica.",
  ])('RESP %s', async (text) => {
    const { proxy, client, key } = await start('RESP')
    await client.incr(key)
    await proxy.set({ kind: 'error', text })
    await expect(client.incr(key)).rejects.toThrow(text)
    expect(await countOf(key)).toBe(1)
    await proxy.set({ kind: 'none' })
    expect(await client.incr(key)).toBe(2)
  })

  test('a fault that the protocol does not have is an error', async () => {
    const http = await start('HTTP')
    await expect(http.proxy.set({ kind: 'error', text: 'OOM' })).rejects.toThrow('HTTP has no')
    const resp = await start('RESP')
    const fault = { kind: 'status', status: 500 } as const
    await expect(resp.proxy.set({ kind: 'some', share: 1, fault })).rejects.toThrow('RESP has no')
  })
})

const post = (to: string, key: string, ms = 2000) =>
  fetch(to, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(['INCR', key]),
    signal: AbortSignal.timeout(ms),
  })

async function postIncr(to: string, key: string, ms?: number): Promise<unknown> {
  const body: { readonly result?: unknown } = JSON.parse(await (await post(to, key, ms)).text())
  return body.result
}

async function connectionsOf(redis: Redis): Promise<number> {
  return Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1])
}
