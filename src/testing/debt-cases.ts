import type { Grant } from '../stores/store.ts'
import { assert, equalGrant } from './assert.ts'
import type { CaseContext, Cases } from './case.ts'

/** Cases of units that were granted while the store was away. Only a guard asks for them. */
export const DEBT_CASES: Cases = {
  'what is owed is charged before the cost': async (context) => {
    if (isUnguarded(context)) return
    await context.take({ cost: 2 })
    equalGrant(await charge(context, { units: 2, cost: 1 }), { granted: 1, used: 5, retryIn: 0 })
    equalGrant(await context.take(), { granted: 0, used: 5 })
  },

  'what is owed is charged if the cost is not granted': async (context) => {
    if (isUnguarded(context)) return
    await context.take({ cost: 3 })
    equalGrant(await charge(context, { units: 1, cost: 2 }), { granted: 0, used: 4 })
    equalGrant(await context.take(), { granted: 1, used: 5 })
  },

  'what is owed takes no more than is left': async (context) => {
    if (isUnguarded(context)) return
    await context.take({ cost: 4 })
    equalGrant(await charge(context, { units: 9 }), { granted: 0, used: 5 })
  },

  'a window that is younger than what is owed is not charged': async (context) => {
    if (isUnguarded(context)) return
    await context.take()
    const age = context.window / 2
    equalGrant(await charge(context, { units: 2, age }), { granted: 0, used: 1 })
  },

  'what is owed opens a window for the rest of its own': async (context) => {
    if (isUnguarded(context)) return
    const rest = context.window / 2
    const grant = await charge(context, { units: 2, rest })
    equalGrant(grant, { granted: 0, used: 2 })
    assert(grant.resetIn <= rest, `resetIn ${grant.resetIn} of ${rest}`)
    await context.elapse(rest + 2)
    equalGrant(await context.take(), { granted: 1, used: 1 })
  },
}

/** Such a store is never away. */
const isUnguarded = ({ store }: CaseContext): boolean => typeof store.guard !== 'function'

function charge(
  { take, window }: CaseContext,
  { units = 1, cost = 0, age = 0, rest = window },
): Promise<Grant> {
  return take({ cost, owed: { units, age, rest } })
}
