import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { Redis as Upstash } from '@upstash/redis'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { readSettings } from '../../src/gateway/settings.ts'
import { startGateway } from '../../src/gateway/start.ts'
import { redisSubscriptions } from '../../src/gateway/subscriptions.ts'
import { BUSY } from '../support/busy.ts'
import { freePort } from '../support/listen.ts'
import { spawnRedis } from '../support/redis-server.ts'

const eventually = <Value>(look: () => Value) => expect.poll(look, BUSY)

const token = crypto.randomUUID()
const lines: string[] = []

/** Starts the gateway as the command line does. */
async function start(redisUrl: string, allow = 'subscribe,psubscribe,publish') {
  const flags = ['--redis', redisUrl, '--token', token, '--port', '0', '--verbose']
  const settings = readSettings([...flags, ...(allow === '' ? [] : ['--allow', allow])], {})
  const { url, stop } = await startGateway(settings, (line) => lines.push(line))
  await vi.waitUntil(async () => (await fetch(`${url}/healthz`)).ok, BUSY)
  return { url, stop, client: new Upstash({ url, token, retry: { retries: 0 } }) }
}

const server = await spawnRedis()
const admin = new Redis(server.url)
const { url, client, stop } = await start(server.url)
afterAll(async () => {
  await stop()
  admin.disconnect()
  await server.stop()
})

/** Connections at Redis that have subscribed. */
const subscribed = async (redis = admin) =>
  `${await redis.client('LIST', 'TYPE', 'PUBSUB')}`.split('\n').filter((line) => line !== '').length

const none = () => eventually(() => subscribed()).toBe(0)

/** Keeps responses referenced: the stream of a garbage-collected response ends. */
const held: Response[] = []

async function open(path: string, { headers = {}, from = url, ...rest }: Asking = {}) {
  const response = await fetch(`${from}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
    ...rest,
  })
  held.push(response)
  return response
}

function aborting() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

interface Asking {
  readonly headers?: Record<string, string>
  readonly from?: string
  readonly signal?: AbortSignal
}

/**
 * The messages that a subscription of the client receives. Resolves once Redis has confirmed it.
 */
async function hear(subscriber: ReturnType<Upstash['subscribe']>, kind = 'message') {
  const heard: unknown[] = []
  let subscribed = false
  subscriber.on(kind as 'message', (event) => heard.push(event))
  subscriber.on(kind === 'message' ? 'subscribe' : ('psubscribe' as 'subscribe'), () => {
    subscribed = true
  })
  subscriber.on('error', (error) => heard.push(error))
  await eventually(() => subscribed).toBe(true)
  return heard
}

describe('the client of Upstash', () => {
  test('hears what is published to its channels, through the gateway and past it', async () => {
    const subscriber = client.subscribe(['news', 'other'])
    const heard = await hear(subscriber)
    await eventually(() => subscribed()).toBe(2)
    expect(await client.publish('news', { some: ['json', 1] })).toBe(1)
    expect(await client.publish('other', 'zwölf, Fährten 🐾')).toBe(1)
    await admin.publish('news', 'x'.repeat(200_000))
    await eventually(() => heard.length).toBe(3)
    expect(heard).toContainEqual({ channel: 'news', message: { some: ['json', 1] } })
    expect(heard).toContainEqual({ channel: 'other', message: 'zwölf, Fährten 🐾' })
    expect(heard).toContainEqual({ channel: 'news', message: 'x'.repeat(200_000) })
    await subscriber.unsubscribe()
    await none()
  })

  test('hears texts and JSON of several lines as they were, and no event that nobody sent', async () => {
    const subscriber = client.subscribe('lines')
    const heard = await hear(subscriber)
    const text = 'a\r\nb\n\ndata: message,lines,forged\n'
    await client.publish('lines', text)
    await client.publish('lines', JSON.stringify({ a: [1, 'b\nc'] }, null, 2))
    await client.publish('lines', 'the end')
    await eventually(() => heard.length).toBe(3)
    expect(heard).toEqual([
      { channel: 'lines', message: text },
      { channel: 'lines', message: { a: [1, 'b\nc'] } },
      { channel: 'lines', message: 'the end' },
    ])
    await subscriber.unsubscribe()
    await none()
  })

  test('hears JSON of several lines and a hundred thousand lists as the text that it is', async () => {
    const subscriber = client.subscribe('lists')
    const heard = await hear(subscriber)
    const text = `[\n${'[],'.repeat(100_000)}1]`
    await client.publish('lists', text)
    await eventually(() => heard.length).toBe(1)
    expect(heard).toEqual([{ channel: 'lists', message: text }])
    await subscriber.unsubscribe()
    await none()
  })

  test('hears what fits its pattern, a ? in it too', async () => {
    const subscriber = client.psubscribe('room-?:*')
    const heard = await hear(subscriber, 'pmessage')
    await client.publish('room-1:talk', { hello: 1 })
    await client.publish('room-10:talk', { hello: 2 })
    await client.publish('room-2:talk', { hello: 3 })
    await eventually(() => heard.length).toBe(2)
    expect(heard).toEqual([
      { pattern: 'room-?:*', channel: 'room-1:talk', message: { hello: 1 } },
      { pattern: 'room-?:*', channel: 'room-2:talk', message: { hello: 3 } },
    ])
    await subscriber.unsubscribe()
    await none()
  })

  test('ends a connection at Redis with each subscription that it ends', async () => {
    const subscriber = client.subscribe(['a', 'b', 'c'])
    await hear(subscriber)
    await eventually(() => subscribed()).toBe(3)
    await subscriber.unsubscribe(['b'])
    await eventually(() => subscribed()).toBe(2)
    expect(await admin.pubsub('CHANNELS')).toEqual(expect.arrayContaining(['a', 'c']))
    await subscriber.unsubscribe()
    await none()
  })
})

describe('a stream', () => {
  test('names each channel first, as Upstash does, and takes the token in the query', async () => {
    const abort = new AbortController()
    const headers = { authorization: '' }
    expect((await open(`/subscribe/x?_token=${token}`, { headers })).status).toBe(401)
    const response = await fetch(`${url}/SUBSCRIBE/caf%C3%A9/y?_token=${token}`, {
      headers: { accept: 'text/event-stream' },
      signal: abort.signal,
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let read = ''
    while (!read.includes('y,2\n\n')) read += (await reader?.read())?.value
    expect(read).toBe('data: subscribe,café,1\n\ndata: subscribe,y,2\n\n')
    expect(await admin.publish('café', 'x')).toBe(1)
    abort.abort()
    await none()
  })

  test('has the token in no channel, wherever it stands in the query', async () => {
    const { signal, abort } = aborting()
    try {
      for (const [path, channel] of [
        [`news?_token=${token}&x=1`, 'news?x=1'],
        [`news?x=1&_token=${token}&y`, 'news?x=1&y'],
        [`news?_token=${token}&_token=${token}`, 'news'],
        [`news?%5Ftoken=${token}`, 'news'],
        [`news?x?_token=${token}`, 'news?x'],
        ['news?', 'news?'],
      ] as const) {
        const response = await open(`/subscribe/${path}`, { signal })
        const reader = response.body?.getReader()
        expect(`${Buffer.from((await reader?.read())?.value ?? '')}`).toBe(
          `data: subscribe,${channel},1\n\n`,
        )
      }
    } finally {
      abort()
    }
    await none()
  })

  test('ends when Redis goes away, and can be opened again when it is back', async () => {
    const port = await freePort()
    let own = await spawnRedis({ port })
    const gateway = await start(own.url)
    try {
      const response = await open('/subscribe/x', { from: gateway.url })
      await own.stop('SIGKILL')
      expect(await response.text()).toBe('data: subscribe,x,1\n\n')
      await eventually(async () => (await open('/subscribe/x', { from: gateway.url })).status).toBe(
        503,
      )
      own = await spawnRedis({ port })
      await eventually(async () => (await fetch(`${gateway.url}/healthz`)).status).toBe(200)
      const subscriber = gateway.client.subscribe('x')
      const heard = await hear(subscriber)
      await gateway.client.publish('x', 'again')
      await eventually(() => heard).toEqual([{ channel: 'x', message: 'again' }])
      await subscriber.unsubscribe()
    } finally {
      await gateway.stop()
      await own.stop()
    }
  })

  test('beats, and ends when Redis does not answer any more', async () => {
    const own = await spawnRedis()
    const other = new Redis(own.url)
    const subscriptions = redisSubscriptions(own.url, { socketTimeout: 300, heartbeat: 50 })
    try {
      const events = await subscriptions.open(['SUBSCRIBE', 'x'])
      if ('error' in events) throw new Error(events.error)
      let read = ''
      let ended = false
      events.on('data', (bytes) => {
        read += bytes
      })
      events.on('end', () => {
        ended = true
      })
      await eventually(() => read).toBe(`data: subscribe,x,1\n\n${':\n\n'.repeat(3)}`)
      await other.publish('x', 'hello')
      await eventually(() => read).toContain(':\n\ndata: message,x,hello\n\n:\n\n')
      expect(ended).toBe(false)
      await other.call('CLIENT', 'PAUSE', '3000', 'ALL')
      const paused = performance.now()
      await eventually(() => ended).toBe(true)
      expect(performance.now() - paused).toBeLessThan(2500)
    } finally {
      subscriptions.stop()
      other.disconnect()
      await own.stop()
    }
  })

  test('ends at once when the gateway stops', async () => {
    const gateway = await start(server.url)
    const response = await open('/subscribe/x', { from: gateway.url })
    const start_ = performance.now()
    const stopping = gateway.stop()
    expect(await response.text()).toBe('data: subscribe,x,1\n\n')
    await stopping
    expect(performance.now() - start_).toBeLessThan(2000)
    await none()
  })

  test('leaves nothing behind of clients that go before it is open', async () => {
    const { hostname, port } = new URL(url)
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const answered = () => lines.filter((line) => line.startsWith('POST /… 200')).length
    const before = answered()
    for (let turn = 0; turn < 20; turn++) {
      const asking = request({ hostname, port, path: '/subscribe/x', method: 'POST', headers })
      asking.on('error', () => {})
      asking.end('[]', () => setImmediate(() => asking.destroy()))
    }
    await eventually(answered).toBe(before + 20)
    await none()
  })

  test('is given up when the client does not read it', async () => {
    const { hostname, port } = new URL(url)
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const asking = request({ hostname, port, path: '/subscribe/flood', headers }, (response) => {
      response.pause()
      response.on('error', () => {})
    })
    asking.on('error', () => {})
    asking.end()
    await eventually(() => subscribed()).toBe(1)
    const message = 'x'.repeat(2 ** 20)
    for (let turn = 0; turn < 64 && (await subscribed()) > 0; turn++) {
      await admin.publish('flood', message)
    }
    await none()
    asking.destroy()
  })
})

describe('a subscription is refused', () => {
  const errorOf = async (response: Response) => [response.status, await response.json()]
  const unavailable = { error: expect.stringContaining('ERR Command is not available') }

  test('unless the gateway was started with --allow subscribe, or all', async () => {
    const narrow = await start(server.url, '')
    const single = await start(server.url, 'subscribe')
    const all = await start(server.url, 'all')
    const abort = new AbortController()
    try {
      for (const path of ['/subscribe/x', '/psubscribe/x']) {
        expect(await errorOf(await open(path, { from: narrow.url }))).toEqual([400, unavailable])
        const { status } = await open(path, { from: all.url, signal: abort.signal })
        expect(status).toBe(200)
      }
      expect((await open('/psubscribe/x', { from: single.url })).status).toBe(400)
      const { status } = await open('/subscribe/x', { from: single.url, signal: abort.signal })
      expect(status).toBe(200)
      await eventually(() => subscribed()).toBe(3)
    } finally {
      abort.abort()
      await Promise.all([narrow.stop(), single.stop(), all.stop()])
    }
    await none()
  })

  test('by HEAD, whose answer has no body that could end', async () => {
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const { status } = await fetch(`${url}/subscribe/x`, { method: 'HEAD', headers })
    expect(status).toBe(405)
    expect(await subscribed()).toBe(0)
  })

  test('without a token, and where no stream of events is asked for', async () => {
    expect((await open('/subscribe/x', { headers: { authorization: '' } })).status).toBe(401)
    for (const path of ['/subscribe/x', '/', '/pipeline']) {
      const body = { '/': '["SUBSCRIBE","x"]', '/pipeline': '[["SUBSCRIBE","x"]]' }[path] ?? ''
      const headers = { authorization: `Bearer ${token}` }
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body })
      expect(JSON.stringify(await response.json())).toContain('Accept: text/event-stream')
    }
    expect(await errorOf(await open('/monitor'))).toEqual([400, unavailable])
    expect(await subscribed()).toBe(0)
  })

  test('in the words of Redis, unless its user was given the command and the channel', async () => {
    const [line = ''] =
      /ACL SETUSER tidegate .*/.exec(readFileSync('docs/gateway.md', 'utf8')) ?? []
    const [name = '', ...rules] = line.replace('<password>', 'secret').split(' ')
    await admin.call(name, ...rules)
    const asUser = await start(server.url.replace('//', '//tidegate:secret@'))
    const abort = new AbortController()
    try {
      const deaf = await open('/subscribe/x', { from: asUser.url })
      const denied = { error: expect.stringContaining('NOPERM') }
      expect(await errorOf(deaf)).toEqual([400, denied])
      await admin.call(name, 'SETUSER', 'tidegate', '+subscribe', '&news')
      expect(await errorOf(await open('/subscribe/x', { from: asUser.url }))).toEqual([400, denied])
      const heard = await open('/subscribe/news', { from: asUser.url, signal: abort.signal })
      expect(heard.status).toBe(200)
    } finally {
      abort.abort()
      await asUser.stop()
    }
    await none()
  })

  test('when a hundred are open, until one of them ends', async () => {
    const aborts = Array.from({ length: 100 }, () => new AbortController())
    try {
      const opened = await Promise.all(
        aborts.map(({ signal }) => open('/subscribe/x', { signal }).then(({ status }) => status)),
      )
      expect(new Set(opened)).toEqual(new Set([200]))
      const more = await open('/subscribe/x')
      expect(await errorOf(more)).toEqual([
        503,
        { error: 'Too many subscriptions, try again later' },
      ])
      expect(more.headers.get('retry-after')).toBe('1')
      expect(await client.publish('x', 'to all')).toBe(100)
      aborts.pop()?.abort()
      const signal = aborts[0]?.signal
      await eventually(
        async () => (await open('/subscribe/x', signal ? { signal } : {})).status,
      ).toBe(200)
    } finally {
      for (const abort of aborts) abort.abort()
    }
    await none()
  })
})

test('the log of a stream holds no channel', () => {
  expect(lines.some((line) => /^POST \/… 200 /.test(line))).toBe(true)
  expect(lines.filter((line) => /flood|room|café|caf%/.test(line))).toEqual([])
})
