import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Prints at the end what ran: each runtime and store, with the tests that passed and failed. */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const lines = new Map<string, { passed: number; failed: number }>()
    const total = { passed: 0, failed: 0 }
    for (const test of tests) {
      const { state } = test.result()
      if (state !== 'passed' && state !== 'failed') continue
      total[state]++
      for (const name of namesOf(test)) {
        const line = lines.get(name) ?? { passed: 0, failed: 0 }
        line[state]++
        lines.set(name, line)
      }
    }
    console.log()
    for (const [name, line] of [...lines].sort(([a], [b]) => a.localeCompare(b))) {
      console.log(` ${name}: ${inWords(line)}`)
    }
    console.log(`\n${inWords(total)}`)
  }
}

const inWords = ({ passed, failed }: { passed: number; failed: number }) =>
  `${passed} passed, ${failed} failed`

/** The runtime and the store that a test speaks for, if any. */
function namesOf({ fullName, project }: TestCase): string[] {
  const [, runtime] = /the built package limits a Hono app .* > on (\w+)$/.exec(fullName) ?? []
  if (runtime) return [`runtime  ${runtime}, the built package`]
  const [, store] = /\bstore: ([^>]+?) >/.exec(fullName) ?? []
  const names = /hosts|programs/.test(project.name) ? [] : [`runtime  ${project.name}`]
  return store ? [...names, `store    ${store}, in ${project.name}`] : names
}
