/** The drill of `npm start`, as docs/drill.md shows it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../support/listen.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidegate-'))
let demo: ChildProcess | undefined
afterAll(async () => {
  if (demo?.exitCode === null) {
    demo.kill('SIGTERM')
    await once(demo, 'exit')
  }
  rmSync(folder, { recursive: true, force: true })
})

const page = readFileSync('docs/drill.md', 'utf8')
const [, command = ''] = /^npx tidegate (drill http:.*)$/m.exec(page) ?? []
const [, shown = ''] = /^```text drill\n(.*?)^```$/ms.exec(page) ?? []

/** The policies of wrangler.toml, with windows that a test can wait for. */
const POLICIES = [
  { name: 'sync', limit: 10, window: '6s', match: '/api/user/sync', methods: ['POST'] },
  { name: 'all', limit: 300, window: '6s' },
]

test('the demo passes, with the output of the page but for ports and times', async () => {
  const port = `${await freePort()}`
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, PORT: port, STATE_DIR: folder, POLICIES: JSON.stringify(POLICIES) }
  const child = spawn(process.execPath, ['scripts/start.ts'], { env })
  demo = child
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => `${chunk}`.includes('gate') && resolve())
    child.once('exit', () => reject(new Error('the demo ended')))
  })
  // `localhost` may have an IPv6 address too, which the report mentions.
  const local = (text: string) => text.replaceAll('localhost:8787', `127.0.0.1:${port}`)
  const args = local(command).replace('1m', '6s').split(' ')
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli.js', ...args])
  const wrapped = (text: string) => text.replace(/\s+/g, ' ')
  const expected = local(shown)
    .replace('10 per 60 s', '10 per 6 s')
    .replace('Retry-After was 56', 'Retry-After was N')
  const masked = (text: string) => wrapped(text).replace(/\(\d+ ms\)/, '(N ms)')
  expect(masked(stdout).replace(/Retry-After was \d,/, 'Retry-After was N,')).toBe(masked(expected))
})
