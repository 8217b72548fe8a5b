import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, expect, inject, test } from 'vitest'
import { readSettings } from '../../src/gateway/settings.ts'

const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

test('variables that are empty, as those of Docker Compose may be, are not set', () => {
  const token = crypto.randomUUID()
  const settings = readSettings([], { REDIS_URL: '', PORT: '', GATEWAY_TOKEN: token })
  expect(settings).toMatchObject({ redis: 'redis://127.0.0.1:6379', port: 8079, tokens: [token] })
  expect(() => readSettings([], { GATEWAY_TOKEN: '' })).toThrow(
    /^--token or GATEWAY_TOKEN: expected .+, got/,
  )
  expect(() => readSettings(['--port', ''], { GATEWAY_TOKEN: token })).toThrow(
    /^--port: expected .+, got ""/,
  )
})

test('a certificate that cannot be read is an error with the reason', () => {
  const flags = ['--token', crypto.randomUUID(), '--tls-key', 'package.json', '--tls-cert']
  expect(() => readSettings([...flags, 'nowhere.pem'], {})).toThrow(
    /^--tls-cert: expected .+, got "nowhere\.pem", which cannot be read \(ENOENT\)/,
  )
  expect(() => readSettings([...flags, 'src'], {})).toThrow('which cannot be read (EISDIR)')
})

test('the gateway goes on when whoever read its log is gone, and stops when it is told to', async () => {
  const token = crypto.randomUUID()
  const flags = ['--redis', inject('redisUrl'), '--port', '0', '--verbose']
  const gateway = spawn(process.execPath, ['src/cli/main.ts', 'gateway', ...flags], {
    env: { PATH: process.env.PATH, GATEWAY_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(gateway)
  const ended = once(gateway, 'exit')
  let said = ''
  for await (const chunk of gateway.stdout) {
    said += chunk
    if (said.includes('\n')) break
  }
  const [, url = ''] = /listening on (\S+)/.exec(said) ?? []
  gateway.stdout.destroy()
  gateway.stderr.destroy()
  const ping = async () => (await fetch(`${url}/ping?_token=${token}`)).status
  await expect.poll(ping, { timeout: 10_000 }).toBe(200)
  for (let turn = 0; turn < 20; turn++) expect(await ping()).toBe(200)
  gateway.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
