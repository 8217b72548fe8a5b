/** Settlements: `tidegate/settle`. */
import { ConfigError } from '../errors.ts'
import { knowledgeOf } from '../isolate/knowledge.ts'
import type { Guard, Store } from '../stores/store.ts'
import { isOfMemory, isOfRedis } from '../stores/store-access.ts'
import { settleFixedWindow, withAccounts } from './account.ts'
import { receiptOf, settleReceipt } from './receipt.ts'
import { redisSettling } from './redis-settling.ts'
import { settlementCalls } from './settlement-calls.ts'

/**
 * Adds to a store what policies with `settle` need: counts that are corrected to what was really
 * used. It is a function of its own so that applications without such policies do not ship it.
 * Throws a `ConfigError` for a store that cannot do it: it needs a method `settle`.
 *
 * @example
 * import { settling } from 'tidegate/settle'
 *
 * const limiter = createLimiter({
 *   limit: 10_000,
 *   window: '1h',
 *   settle: true,
 *   store: (env) => settling(storeFromEnv(env)),
 * })
 */
export function settling(store: Store): Store {
  // Twice would repeat each refused demand up to 64 times.
  if (store.receipts) return store
  const able = { ...store, identity: store.identity ?? store, ...methodsOf(store) }
  const { guard = 'none' } = store
  const receipts = receiptsOf(able)
  return { ...able, receipts, guard: guard === 'none' ? guard : settlingGuard(guard) }
}

function methodsOf(store: Store): Pick<Store, 'take' | 'settle'> {
  const { access } = store
  if (isOfRedis(access)) return redisSettling(store, access)
  if (isOfMemory(access)) {
    return {
      take: (demands, options) =>
        access.take(demands, options, (taken) => withAccounts(demands, taken)),
      async settle(settlements) {
        const now = access.clock()
        return settlements.map((settlement) => {
          const { windows, exhausted } = access.keptOf(settlement)
          const { client } = settlement
          const window = settleFixedWindow(settlement, windows.get(client), now)
          if (window === undefined) return false
          windows.set(client, window)
          exhausted.delete(client)
          return true
        })
      },
    }
  }
  if (typeof store?.settle === 'function') return store
  throw new ConfigError(
    'settling',
    'a store with a method `settle`',
    store?.label ?? 'another value',
  )
}

const receiptsOf = (store: Store) => ({ of: receiptOf, settle: settleReceipt(store) })

/** Wraps a guard with what an isolate does about settlements. */
const settlingGuard =
  (guard: Guard): Guard =>
  (store, options) => {
    const guarded = guard(store, options)
    const known = knowledgeOf(store, options.clock)
    const able = { ...guarded, ...settlementCalls(store, options, known, guarded.take) }
    return { ...able, receipts: receiptsOf(able) }
  }
