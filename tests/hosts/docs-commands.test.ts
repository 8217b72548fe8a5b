import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { readSettings } from '../../src/gateway/settings.ts'
import { freePort } from '../support/listen.ts'
import { installPackage } from '../support/package.ts'

const PAGES = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)]
const texts = PAGES.map((page) => [page, readFileSync(page, 'utf8')] as const)

const { folder, remove } = installPackage()
const bin = join(folder, 'node_modules/.bin')
mkdirSync(bin)
symlinkSync('../tidegate/dist/cli.js', join(bin, 'tidegate'))
afterAll(remove)

/** Blocks for a shell, each up to and with the line that starts a gateway. */
const starts = texts.flatMap(([page, text]) =>
  [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => {
    const [lines] = /^[\s\S]*?^npx tidegate gateway .*$/m.exec(block) ?? []
    return lines === undefined ? [] : [[page, lines] as const]
  }),
)

describe('the commands of the documents, as one pastes them into a shell', () => {
  test('start a gateway in README.md and docs/gateway.md', () => {
    expect(starts.map(([page]) => page)).toEqual(['README.md', 'docs/gateway.md'])
  })

  for (const [page, lines] of starts) {
    test(`start a gateway: ${page}`, async () => {
      const port = await freePort()
      const { host } = new URL(inject('redisUrl'))
      const here = lines.replace('localhost:6379', host).replace('8079', `${port}`)
      const { PATH, HOME } = process.env
      const options = { cwd: folder, env: { PATH, HOME }, detached: true }
      const shell = spawn('sh', ['-ec', here], options)
      const ended = new Promise((resolve) => shell.once('exit', resolve))
      let said = ''
      for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (text) => (said += text))
      try {
        const health = () =>
          fetch(`http://127.0.0.1:${port}/healthz`).then(
            (response) => response.text(),
            () => said,
          )
        await expect.poll(health, { timeout: 20_000 }).toBe('ok')
      } finally {
        // To the shell, npx and the gateway, as Ctrl-C does.
        if (shell.exitCode === null) process.kill(-(shell.pid ?? 0), 'SIGINT')
        await ended
      }
      expect(said).toContain(`listening on http://127.0.0.1:${port} for the Redis at ${host}`)
      expect(said).toContain('stopped')
    })
  }

  test('pass more commands, by each --allow that is a piece of code', () => {
    const flags = texts.flatMap(([, text]) =>
      [...text.matchAll(/`(--allow [^`]+)`/g)].map(([, flag = '']) => flag.replaceAll('\\|', '|')),
    )
    expect(flags.length).toBeGreaterThan(5)
    for (const flag of flags) {
      const said = execFileSync('sh', ['-ec', `printf '%s\\n' ${flag}`], { encoding: 'utf8' })
      const words = said.trim().split('\n')
      expect(words).toHaveLength(2)
      expect(() => readSettings([...words, '--token', 'x'.repeat(16)], {})).not.toThrow()
    }
  })
})
