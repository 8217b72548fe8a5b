import type { Demand, Grant } from '../../../../src/stores/store.ts'
import type { Rule } from '../watcher.ts'

/** What one isolate has granted of a key without the store. */
interface Alone {
  /** Units that the store had shown as used before the first of them. */
  readonly seen: number
  granted: number
}

/** What was granted of a key. */
interface KeyAccount {
  readonly demand: Demand
  readonly rule: Rule
  /** On units of the store. */
  stored: number
  /** How often the key was lost. */
  losses: number
  readonly alone: Map<number, Alone>
  /** The most units used that the store has shown each isolate. */
  readonly seen: Map<number, number>
}

/** What the requests of a sequence were granted, whose windows do not end. */
export interface Account {
  readonly keys: readonly KeyAccount[]
  granted(isolate: number, demands: readonly Demand[], grants: readonly Grant[]): void
  lost(demand: Demand): void
  /**
   * The promises that were broken.
   *
   * @param used what the server has counted of a key
   */
  violations(used: (demand: Demand) => Promise<number>): Promise<readonly string[]>
}

export function newAccount(rules: readonly Rule[]): Account {
  const accounts = new Map<string, KeyAccount>()
  const broken: string[] = []

  function accountOf(demand: Demand): KeyAccount {
    const key = `${demand.policy} ${demand.client}`
    const rule = rules.find(({ name }) => name === demand.policy)
    if (rule === undefined) throw new Error(`no policy is called ${demand.policy}`)
    const account = accounts.get(key) ?? newKeyAccount(demand, rule)
    accounts.set(key, account)
    return account
  }

  function grantedAlone(account: KeyAccount, isolate: number, units: number): void {
    const seen = account.losses > 0 ? 0 : (account.seen.get(isolate) ?? 0)
    const alone = account.alone.get(isolate) ?? { seen, granted: 0 }
    account.alone.set(isolate, alone)
    alone.granted += units
  }

  return {
    get keys() {
      return [...accounts.values()]
    },
    granted(isolate, demands, grants) {
      for (const [index, demand] of demands.entries()) {
        const { granted = 0, used = 0, source = 'store' } = grants[index] ?? {}
        const account = accountOf(demand)
        const { fallback } = account.rule
        const isAlone = source === 'local' || source === 'open'
        if (isAlone && source !== (typeof fallback === 'object' ? 'local' : fallback)) {
          broken.push(`${demand.policy}: decided as ${source}`)
        }
        if (source === 'store' || source === 'lease') {
          account.stored += granted
          account.seen.set(isolate, Math.max(used, account.seen.get(isolate) ?? 0))
        } else if (source === 'local' && granted > 0) {
          grantedAlone(account, isolate, granted)
        }
      }
    },
    lost: (demand) => void accountOf(demand).losses++,
    async violations(used) {
      for (const { demand, rule, stored, losses, alone } of accounts.values()) {
        const { limit, fallback } = rule
        const key = `${rule.name} of ${demand.client}`
        if (stored > limit * (1 + losses)) broken.push(`${key}: ${stored} of ${limit} granted`)
        for (const [isolate, { seen, granted }] of alone) {
          const share = typeof fallback === 'object' ? fallback.local : 1
          const unseen = Math.max(0, limit - seen)
          const room = Math.min(unseen, Math.max(1, Math.floor(unseen * share)))
          if (losses === 0 && granted > room) {
            broken.push(`${key}: isolate ${isolate} granted ${granted} alone, of ${room}`)
          }
        }
        const counted = await used(demand)
        if (losses === 0 && counted < Math.min(limit, stored)) {
          broken.push(`${key}: the server has counted ${counted} of ${stored}`)
        }
      }
      return broken
    },
  }
}

const newKeyAccount = (demand: Demand, rule: Rule): KeyAccount => ({
  demand,
  rule,
  stored: 0,
  losses: 0,
  alone: new Map(),
  seen: new Map(),
})
