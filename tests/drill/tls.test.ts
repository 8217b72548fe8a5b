import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { listenLocally } from '../support/listen.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
const kind = '-newkey rsa:2048 -nodes -days 1 -subj /CN=localhost'.split(' ')
const names = ['-addext', 'subjectAltName=DNS:localhost']
const files = ['-keyout', key, '-out', cert]
execFileSync('openssl', ['req', '-x509', ...kind, ...names, ...files], { stdio: 'ignore' })

/** The names that clients asked for (SNI). */
const asked: unknown[] = []
const server = createServer(
  { key: readFileSync(key), cert: readFileSync(cert) },
  (request, response) => {
    asked.push(Object(request.socket).servername)
    response.writeHead(429, { 'retry-after': '60' }).end()
  },
)
const port = await listenLocally(server)
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

const PROGRAM = `import { drill } from './src/cli/drill.ts'
process.exitCode = await drill.run(process.argv.slice(1))`
const ARGS = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, '--']

const drillOf = (variables: object, ...more: readonly string[]) =>
  new Promise<string>((resolve) => {
    const flags = ['--limit', '1', '--window', '1m', '--max-wait', '1ms', '--pace', '10ms']
    const args = [...ARGS, `https://localhost:${port}/`, ...flags, ...more]
    const options = { env: { PATH: process.env.PATH, ...variables }, timeout: 30_000 }
    execFile(process.execPath, args, options, (_, out) => resolve(out))
  })

test('a certificate that nobody signed is not accepted', async () => {
  const out = await drillOf({})
  expect(out).toMatch(/failure +reachability {4}The deployment does not answer \(DEPTH_ZERO_SELF/)
  expect(asked).toEqual([])
})

test('a trusted certificate is accepted, by the name in the URL', async () => {
  const out = await drillOf({ NODE_EXTRA_CA_CERTS: cert }, '--header', 'host: virtual.example')
  expect(out).toMatch(/ok +reachability {4}The deployment answers\./)
  expect(out).toMatch(/0 of 6 requests passed/)
  expect(new Set(asked)).toEqual(new Set(['localhost']))
})
