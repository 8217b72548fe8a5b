import type { Reporter, TestModule } from 'vitest/node'

/** Says at the end which runtimes and stores really ran, from the tests that passed in them. */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]) {
    const stores = new Map<string, Set<string>>()
    let passed = 0
    let failed = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'failed') failed++
        if (state !== 'passed') continue
        passed++
        const runtimes = stores.get('') ?? new Set()
        stores.set('', runtimes.add(module.project.name))
        const store = /\bstore: ([^>]+?) >/.exec(test.fullName)?.[1]
        if (store) {
          const ran = stores.get(store) ?? new Set()
          stores.set(store, ran.add(module.project.name))
        }
      }
    }
    const { '': runtimes, ...rest } = Object.fromEntries(stores)
    console.log(
      `\n Runtimes  ${[...(runtimes ?? [])].filter((name) => name !== 'hosts').join(', ')}`,
    )
    for (const [store, ran] of Object.entries(rest)) {
      console.log(` Store     ${store}: conformant in ${[...ran].join(', ')}`)
    }
    console.log(`${passed} passed, ${failed} failed`)
  }
}
