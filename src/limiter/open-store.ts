import { describeType } from '../checks.ts'
import { processEnv } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import type { Store } from '../stores/store.ts'

/** Calls the function given as `store` with the host's environment, otherwise with the process's. */
export function makeStore<Env extends object>(
  make: (env: Env) => Store,
  env: Env | undefined,
): Store {
  try {
    return make(env ?? (processEnv() as Env))
  } catch (error) {
    // An error that names a variable is complete.
    const isOfVariable = error instanceof ConfigError && /^[A-Z]/.test(error.option)
    if (isOfVariable || (env && !(error instanceof ConfigError))) throw error
    throw new ConfigError(
      'store',
      `a function that failed (${error instanceof Error ? error.message : error})`,
      'memory() with its parentheses, or (env) => upstash({ url: env.URL, token: env.TOKEN })' +
        (env ? '' : ' and check(request, { env })'),
    )
  }
}

/** Throws a `ConfigError` unless `store` is a store that can count these policies. */
export function checkStore(
  store: unknown,
  policies: readonly { readonly client: unknown }[],
): Store {
  if (!isStore(store)) {
    const want = 'a store such as memory(), or a function such as storeFromEnv'
    throw new ConfigError('store', describeType(store), want)
  }
  if (store.guard !== 'none' && typeof store.guard !== 'function') {
    throw new ConfigError(
      'store',
      'one that does not say its `guard`',
      "that of tidegate, or 'none' for one that counts in this isolate's memory",
    )
  }
  if (store.oneClient && policies.some(({ client }) => client !== policies[0]?.client)) {
    throw new ConfigError(
      'policies',
      'clients that differ between policies',
      'one `client` for all of them: this store keeps those of each client apart',
    )
  }
  return store
}

const isStore = (value: unknown): value is Store =>
  typeof (value as Store | null)?.take === 'function'
