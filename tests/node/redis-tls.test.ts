import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../support/listen.ts'
import { together } from '../support/redis-cluster.ts'
import { spawnRedis } from '../support/redis-server.ts'

const { port, certificate, admin, stop } = await together('tls', async (folder, atEnd) => {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  // Signed by itself alone, and valid for the address only, not for the name `localhost`.
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1'
  const subject = '-subj /CN=tidegate -addext subjectAltName=IP:127.0.0.1'
  const args = [...`${request} ${subject}`.split(' '), '-keyout', key, '-out', certificate]
  execFileSync('openssl', args, { stdio: 'pipe' })

  const port = await freePort()
  const files = ['--tls-cert-file', certificate, '--tls-key-file', key]
  const clients = ['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no']
  const server = await spawnRedis({ args: ['--tls-port', `${port}`, ...files, ...clients] })
  atEnd(() => server.stop())
  const admin = new Redis(server.url)
  atEnd(() => admin.disconnect())
  await admin.call('ACL', 'SETUSER', 'edge', 'on', '>pass-word', '~*', '+@all')
  return { port, certificate, admin }
})
afterAll(stop)

const url = `rediss://edge:pass-word@127.0.0.1:${port}`

/**
 * Two takes for a client, and the error if there is one. By a process of its own: Node reads whom to
 * trust when it begins.
 */
async function takeTwice(client: string, url: string, trusted?: string) {
  const script = `import { inspect } from 'node:util'
    import { storeFromEnv } from './src/node.ts'
    const store = storeFromEnv()
    const demand = { policy: '', client: '${client}', limit: 1, window: 60_000, cost: 1 }
    const take = async () => (await store.take([demand]))[0].granted
    const say = (result) => console.log(JSON.stringify(result))
    await take().then(async (first) => say({ granted: [first, await take()] }))
      .catch((error) => say({ name: error.name, code: error.code, whole: inspect(error) }))
    process.exit()`
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env
  const extra = trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script],
    { env: { ...inherited, ...extra, REDIS_URL: url }, timeout: 10_000 },
  )
  return JSON.parse(stdout)
}

test('a rediss:// REDIS_URL counts over TLS when its certificate is trusted', async () => {
  const client = crypto.randomUUID()
  expect(await takeTwice(client, url, certificate)).toEqual({ granted: [1, 0] })
  expect(await admin.get(`ratelimit:${client}`)).toBe('1')
  expect(await admin.pttl(`ratelimit:${client}`)).toBeGreaterThan(0)
})

const REFUSED: Readonly<Record<string, readonly [url: string, trusted?: string]>> = {
  'a certificate that nobody signed': [url],
  'a certificate for another name': [url.replace('127.0.0.1', 'localhost'), certificate],
  'no TLS where the server wants it': [url.replace('rediss:', 'redis:'), certificate],
}

for (const [what, [url, trusted]] of Object.entries(REFUSED)) {
  test(`${what} is a StoreError that names neither key nor password`, async () => {
    const client = crypto.randomUUID()
    const error = await takeTwice(client, url, trusted)
    expect(error).toMatchObject({ name: 'StoreError', code: 'unreachable' })
    expect(error.whole).not.toMatch(new RegExp(`${client}|ratelimit:|pass-word`))
    expect(await admin.exists(`ratelimit:${client}`)).toBe(0)
  })
}
