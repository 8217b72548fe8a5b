/** The exit codes of all commands: one meaning each, and the same in the help and in docs/doctor.md. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cost } from '../../src/cli/cost.ts'
import { doctor } from '../../src/cli/doctor.ts'
import { drill } from '../../src/cli/drill.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { gateway } from '../../src/cli/gateway.ts'

const [, section = ''] = readFileSync('docs/doctor.md', 'utf8').split('\n## Exit codes\n')
const [, table = ''] = /\n(\| exit code [\s\S]*?)\n\n/.exec(section) ?? []
const [head = [], , ...rows] = table
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))

for (const { name, usage } of [doctor, drill, gateway, cost]) {
  test(`the exit codes of ${name} are the same in its help and in docs/doctor.md`, () => {
    const column = head.findIndex((cell) => cell.replaceAll(/[[\]]|\(.*\)/g, '') === name)
    const documented = rows.flatMap((row) => {
      const [meaning, code] = [row[column], row[1]?.split(',')[0]]
      return meaning ? [`  ${code}  ${meaning}`] : []
    })
    expect(documented.length).toBeGreaterThan(1)
    const [, help = ''] = usage.split('\nExit codes:\n')
    expect(help.trimEnd().split('\n')).toEqual(documented)
  })
}

/** Parts of the runtime that the drill calls, each with a bug. */
const BUGS = {
  'before the first request': 'performance.now = () => { throw new Error("a bug") }',
  'in a callback': 'AbortSignal.timeout = () => queueMicrotask(() => { throw new Error("a bug") })',
}
for (const [where, bug] of Object.entries(BUGS)) {
  test(`an error in the drill itself, ${where}, is no check that failed`, () => {
    const program = ['--import', `data:text/javascript,${bug}`, '--', 'src/cli/main.ts']
    const args = ['drill', 'http://127.0.0.1:1/', '--limit', '1', '--window', '1s']
    const { status, stderr } = spawnSync(process.execPath, [...program, ...args], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    expect(stderr).toContain('tidegate: an error in tidegate itself. Error: a bug')
    expect(status).toBe(EXIT_CODES.crashed)
  })
}
