import type { Grant, Settlement } from '../stores/store.ts'
import { assert, equalGrant } from './assert.ts'
import type { CaseContext, Cases } from './case.ts'

/** Cases of units that are settled. A store without `settle` passes them. */
export const SETTLE_CASES: Cases = {
  'a settlement changes the count to what was used': async (context) => {
    if (!context.store.settle) return
    const taken = await reserve(context, { id: 'a', cost: 3 })
    equalGrant(taken.grant, { granted: 3, used: 3, retryIn: 0 })
    assert((await settle(context, taken, 1)) === true, 'the settlement changed nothing')
    equalGrant(await context.take({ cost: 0 }), { granted: 0, used: 1 })
    equalGrant(await context.take({ cost: 4 }), { granted: 4, used: 5 })
  },

  'a settlement counts once, however often and at whatever times it is sent': async (context) => {
    if (!context.store.settle) return
    const taken = await reserve(context, { id: 'a', cost: 4 })
    const sent = Array.from({ length: 5 }, () => settle(context, taken, 1))
    const changed = [...(await Promise.all(sent)), await settle(context, taken, 1)]
    assert(changed.filter(Boolean).length === 1, `${changed}`)
    equalGrant(await context.take({ cost: 0 }), { granted: 0, used: 1 })
  },

  'more than was reserved counts, also beyond the limit': async (context) => {
    if (!context.store.settle) return
    const one = await reserve(context, { id: 'a', cost: 2 })
    const other = await reserve(context, { id: 'b', cost: 2 })
    await settle(context, one, 9)
    equalGrant(await context.take(), { granted: 0, used: 5 })
    await settle(context, other, 0)
    equalGrant(await context.take(), { granted: 0, used: 5 })
  },

  'a settlement counts nothing in a later window': async (context) => {
    if (!context.store.settle) return
    const taken = await reserve(context, { id: 'a', cost: 4 })
    await context.elapse(context.window + 2)
    assert((await settle(context, taken, 0)) === false, 'the ended window was settled')
    equalGrant((await reserve(context, { id: 'b', cost: 2 })).grant, { granted: 2, used: 2 })
    assert((await settle(context, taken, 0)) === false, 'another window was settled')
    equalGrant(await context.take({ cost: 0 }), { granted: 0, used: 2 })
  },

  'a settlement counts nothing in the window after a reset': async (context) => {
    const { store, demand } = context
    if (!store.settle || !store.reset) return
    const taken = await reserve(context, { id: 'a', cost: 4 })
    await store.reset([demand()])
    equalGrant((await reserve(context, { id: 'b', cost: 2 })).grant, { granted: 2, used: 2 })
    assert((await settle(context, taken, 0)) === false, 'another window was settled')
    equalGrant(await context.take({ cost: 0 }), { granted: 0, used: 2 })
  },

  'a window of which all units were given back has ended': async (context) => {
    const { store, demand } = context
    if (!store.settle) return
    const taken = await reserve(context, { id: 'a', cost: 4 })
    await settle(context, taken, 0)
    const open = { granted: 0, used: 0, resetIn: 0 }
    equalGrant(await context.take({ cost: 0 }), open)
    const looks = await store.take([demand({ cost: 0 }), demand({ policy: 'other', cost: 0 })])
    for (const look of looks) equalGrant(look, open)
    assert((await settle(context, taken, 2)) === false, 'the ended window was settled')
    const next = await reserve(context, { id: 'b', cost: 1 })
    assert(next.grant.windowName === 'b', `the next window is called ${next.grant.windowName}`)
    equalGrant(next.grant, { granted: 1, used: 1 })
  },

  'settled units are told apart from reserved ones': async (context) => {
    if (!context.store.settle) return
    const one = await reserve(context, { id: 'a', cost: 2 })
    const other = await reserve(context, { id: 'b', cost: 2 })
    assert(one.grant.windowName === other.grant.windowName, 'one window has two names')
    assert(other.grant.settled === 0, `settled ${other.grant.settled}`)
    await settle(context, one, 1)
    const { used, settled } = await context.take({ cost: 0, settling: 'c' })
    assert(used === 3 && settled === 1, `used ${used}, settled ${settled}`)
  },

  'several settlements of one call are independent': async (context) => {
    const { store } = context
    if (!store.settle) return
    const one = await reserve(context, { id: 'a', cost: 2 })
    const other = await reserve(context, { id: 'b', cost: 2 })
    const wrong = { ...other.settlement, windowName: 'another' }
    const changed = await store.settle([
      { ...one.settlement, used: 0 },
      { ...wrong, used: 0 },
      { ...other.settlement, used: 1 },
    ])
    assert(`${changed}` === 'true,false,true', `${changed}`)
    equalGrant(await context.take({ cost: 0 }), { granted: 0, used: 1 })
  },

  'a refused demand opens no window that could be settled': async (context) => {
    const { store, demand } = context
    if (!store.settle) return
    await context.take({ cost: 5 })
    const grants = await store.take([
      demand({ policy: 'other', settling: 'a' }),
      demand({ settling: 'a' }),
    ])
    assert(grants[0]?.windowName === undefined, `the window is called ${grants[0]?.windowName}`)
  },

  'a reset ends the window of its key alone': async (context) => {
    const { store, demand, take } = context
    if (!store.reset) return
    await take({ cost: 5 })
    await take({ policy: 'other', cost: 5 })
    await store.reset([demand()])
    equalGrant(await take({ cost: 0 }), { granted: 0, used: 0, resetIn: 0 })
    equalGrant(await take(), { granted: 1, used: 1 })
    equalGrant(await take({ policy: 'other' }), { granted: 0, used: 5 })
  },
}

interface Reserved {
  readonly grant: Grant
  readonly settlement: Omit<Settlement, 'used'>
}

/** Takes units that are settled later. */
async function reserve(
  { take, demand }: CaseContext,
  { id, cost }: { readonly id: string; readonly cost: number },
): Promise<Reserved> {
  const grant = await take({ cost, settling: id })
  const { windowName } = grant
  assert(windowName !== undefined, 'the grant names no window')
  const { policy, client } = demand()
  return { grant, settlement: { policy, client, id, windowName, reserved: cost } }
}

async function settle({ store }: CaseContext, { settlement }: Reserved, used: number) {
  return (await store.settle?.([{ ...settlement, used }]))?.[0]
}
