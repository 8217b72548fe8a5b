/** The exit codes of all commands: one meaning each, and the same in the help and in docs/doctor.md. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cost } from '../../src/cli/cost.ts'
import { doctor } from '../../src/cli/doctor.ts'
import { drill } from '../../src/cli/drill.ts'
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
