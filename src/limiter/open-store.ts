import { describeType } from '../checks.ts'
import { processEnv } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import type { Store } from '../stores/store.ts'

/**
 * Calls the function given as `store` with the host's environment, otherwise with the process's.
 */
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
      'memory() with its parentheses, or (env) => upstash({ url: env.URL, token: env.TOKEN })' +
        (env ? '' : ' and check(request, { env })'),
      `a function that threw ${error}`,
    )
  }
}

/** Throws a `ConfigError` unless `store` is a store that can count these policies. */
export function checkStore(
  store: unknown,
  policies: readonly { readonly client: unknown; readonly settle: unknown }[],
): Store {
  const wrong = (expected: string, got?: string) => new ConfigError('store', expected, got)
  if (!isStore(store)) {
    const expected = 'a store such as memory(), or a function such as storeFromEnv'
    throw wrong(expected, describeType(store))
  }
  if (store.guard !== 'none' && typeof store.guard !== 'function') {
    throw wrong(
      '`guard` to be set (`guard` from "tidegate", or "none" if it counts in this isolate\'s memory)',
    )
  }
  if (!store.receipts && policies.some(({ settle }) => settle)) {
    throw wrong('settling(store) of "tidegate/settle" for policies with `settle`')
  }
  if (store.oneClient && policies.some(({ client }) => client !== policies[0]?.client)) {
    throw new ConfigError(
      'policies',
      'the same `client` in every policy, since this store counts each client separately',
    )
  }
  return store
}

const isStore = (value: unknown): value is Store =>
  typeof (value as Store | null)?.take === 'function'
