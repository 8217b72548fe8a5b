import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { RequestHandler } from '../../src/gateway/http.ts'
import { listen } from '../../src/gateway/server.ts'
import { BUSY } from '../support/busy.ts'
import { startGateway } from '../support/gateway-server.ts'
import { pause } from '../support/pause.ts'

const gateway = await startGateway(inject('redisUrl'), { allow: ['echo'] })
const authorization = `Host: x\r\nAuthorization: Bearer ${gateway.token}\r\n`
const sockets: Socket[] = []
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await gateway.stop()
})

/** Opens a connection and collects the text that arrives on it. */
async function open(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  sockets.push(socket.on('error', () => {}))
  await once(socket, 'connect')
  let heard = ''
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1')
  })
  return { socket, heard: () => heard }
}

/** Waits until the value stays the same for a while. The machine may be busy. */
async function settled(look: () => number) {
  for (let before = Number.NaN, looks = 0; look() !== before && looks < 50; looks++) {
    before = look()
    await pause(200)
  }
}

/** Opened before all tests: the server's own timeout closes it while they run. */
const slow = await open(gateway.url)
slow.socket.write('GET /ping HTTP/1.1\r\nHost: x\r\n')
const slowSince = performance.now()
const slowEnded = once(slow.socket, 'close').then(() => performance.now() - slowSince)

describe('of requests that come on one connection at once', () => {
  const serve = (handle: RequestHandler) => listen({ handle, host: '127.0.0.1', port: 0 })

  test('each is answered in its turn, a body as well', async () => {
    const { socket, heard } = await open(gateway.url)
    const posts = Array.from({ length: 500 }, (_, index) => {
      const body = JSON.stringify(['ECHO', `${index}-${'x'.repeat(index)}`])
      return `POST / HTTP/1.1\r\n${authorization}Content-Length: ${body.length}\r\n\r\n${body}`
    })
    socket.write(posts.join(''))
    const all = Array.from({ length: 500 }, (_, index) => `${index}`)
    const answered = () => [...heard().matchAll(/"result":"(\d+)-/g)].map(([, index]) => index)
    await expect.poll(() => answered().length, BUSY).toBe(500)
    expect(answered()).toEqual(all)
    socket.write(`GET /echo/later HTTP/1.1\r\n${authorization}\r\n`)
    await expect.poll(heard, BUSY).toContain('{"result":"later"}')
  })

  test('the next waits until the answer before it is read', async () => {
    let asked = 0
    const body = 'x'.repeat(2 ** 20)
    const server = await serve(async ({ target }) => {
      asked++
      return { status: 200, headers: {}, body: `<${target}>${body}` }
    })
    try {
      const { socket, heard } = await open(server.url)
      socket.pause()
      for (let index = 0; index < 100; index++) {
        socket.write(`GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`)
      }
      // The system buffers some megabytes on the way.
      await settled(() => asked)
      expect(asked).toBeGreaterThan(0)
      expect(asked).toBeLessThan(50)
      socket.resume()
      await expect.poll(() => asked, BUSY).toBe(100)
      await expect.poll(() => heard().includes('</99>'), BUSY).toBe(true)
    } finally {
      await server.stop(0)
    }
  })

  test('no more are read while one waits', async () => {
    const server = await serve(async () => new Promise(() => {}))
    try {
      const { socket } = await open(server.url)
      const request = `GET /${'x'.repeat(15_000)} HTTP/1.1\r\nHost: x\r\n\r\n`
      for (let sent = 0; sent < 4000; sent++) socket.write(request)
      await settled(() => socket.writableLength)
      expect(socket.writableLength).toBeGreaterThan(2 ** 25)
    } finally {
      await server.stop(0)
    }
  })

  test('those that wait are dropped with the connection, and are not run', async () => {
    const asked: string[] = []
    let go = () => {}
    const gone = new Promise<void>((resolve) => {
      go = resolve
    })
    const server = await serve(async ({ target }) => {
      asked.push(target)
      await gone
      return { status: 200, headers: {}, body: target }
    })
    try {
      const { socket, heard } = await open(server.url)
      socket.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5))
      await expect.poll(() => asked.length).toBe(1)
      const stopping = server.stop(5000)
      go()
      await stopping
      await once(socket, 'close')
      expect(heard()).toContain('/1')
      expect(asked).toEqual(['/1'])
    } finally {
      go()
      await server.stop(0)
    }
  })
})

describe('a client that waits to be asked for its body', () => {
  const expecting = (headers: string) =>
    `POST / HTTP/1.1\r\nHost: x\r\n${headers}Expect: 100-continue\r\n\r\n`

  test('is asked, if it may send it', async () => {
    const { socket, heard } = await open(gateway.url)
    socket.write(expecting(`Authorization: Bearer ${gateway.token}\r\nContent-Length: 8\r\n`))
    await expect.poll(heard).toContain('HTTP/1.1 100 Continue\r\n')
    socket.write('["PING"]')
    await expect.poll(heard).toContain('{"result":"PONG"}')
    socket.write(`GET /echo/more HTTP/1.1\r\n${authorization}\r\n`)
    await expect.poll(heard).toContain('{"result":"more"}')
  })

  for (const [what, headers, status] of [
    ['without the token', 'Content-Length: 8\r\n', 401],
    ['whose body is too large', `${authorization.slice(9)}Content-Length: 99999999\r\n`, 413],
  ] as const) {
    test(`is refused at once ${what}, and the connection ended`, async () => {
      const { socket, heard } = await open(gateway.url)
      socket.write(expecting(headers))
      await once(socket, 'close')
      expect(heard()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      expect(heard()).not.toContain('100 Continue')
    })
  }
})

test('a server with a certificate stops at once, whatever its connections are up to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-tls-'))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const files = ['-keyout', keyFile, '-out', certFile]
  const kind = ['-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost']
  execFileSync('openssl', ['req', '-x509', ...kind, ...files], { stdio: 'ignore' })
  const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  rmSync(folder, { recursive: true })
  const handle: RequestHandler = async () => ({ status: 200, headers: {}, body: '' })
  const server = await listen({ handle, host: '127.0.0.1', port: 0, tls })
  const [port, host] = [Number(new URL(server.url).port), '127.0.0.1']
  const silent = await open(server.url)
  const greeted = connectTls({ port, host, rejectUnauthorized: false })
  sockets.push(greeted.on('error', () => {}))
  // The session ticket ends the handshake. The silent connection was opened before.
  await once(greeted, 'session')
  const start = performance.now()
  await server.stop(8000)
  expect(performance.now() - start).toBeLessThan(2000)
  await Promise.all(
    [silent.socket, greeted].map((socket) => socket.closed || once(socket, 'close')),
  )
})

test('a client whose headers do not end within 10 s is let go soon after', async () => {
  expect(await slowEnded).toBeLessThan(18_000)
  expect(slow.heard()).toMatch(/^HTTP\/1.1 408 /)
})
