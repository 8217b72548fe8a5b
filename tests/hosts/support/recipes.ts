import { inject } from 'vitest'
import { installDocsCode } from './docs-code.ts'

/**
 * The code of docs/hosts.md beside the installed package. This process gets the variables of a store, until
 * `remove` is called. `peers` are packages of this repository that the code imports.
 */
export function installRecipes(...peers: readonly string[]) {
  const { url, token } = inject('gateway')
  const variables = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token }
  Object.assign(process.env, variables)
  const { folder, load, remove } = installDocsCode(['docs/hosts.md'], ...peers)
  let hosts = 0
  return {
    folder,
    load,
    variables,
    /** Returns the addresses of five visitors in a network, others in each call: all recipes share a store. */
    visitorsOf(network: string): readonly string[] {
      hosts++
      return Array.from({ length: 5 }, (_, index) => `${network}.${10 * hosts + index}`)
    },
    remove() {
      for (const name of Object.keys(variables)) delete process.env[name]
      remove()
    },
  }
}
