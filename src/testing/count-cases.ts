import { assert, equal, equalGrant } from './assert.ts'
import type { Cases } from './case.ts'

/** Cases of how many units a demand gets, and that no other demand shares its count. */
export const COUNT_CASES: Cases = {
  'exactly the limit is granted, then refused until the end': async (context) => {
    const { take, window } = context
    for (let used = 1; used <= 5; used++) {
      equalGrant(await take(), { granted: 1, used, retryIn: 0 })
    }
    const refused = await take()
    equalGrant(refused, { granted: 0, used: 5 })
    assert(refused.retryIn > 0 && refused.retryIn <= window + 2, `retryIn ${refused.retryIn}`)
    await context.elapse(refused.retryIn)
    equalGrant(await take(), { granted: 1, used: 1, retryIn: 0 })
  },

  'refused takes are charged nothing': async ({ take }) => {
    await take({ cost: 4 })
    equalGrant(await take({ cost: 2 }), { granted: 0 })
    equalGrant(await take(), { granted: 1, used: 5, retryIn: 0 })
  },

  'of calls at the same time exactly the limit is granted': async ({ take }) => {
    const grants = await Promise.all(Array.from({ length: 40 }, () => take({ limit: 17 })))
    const granted = grants.filter((grant) => grant.granted === 1)
    equal(granted.length, 17)
    const order = granted.map(({ used }) => used).sort((a, b) => a - b)
    equal(
      order,
      Array.from({ length: 17 }, (_, index) => index + 1),
    )
    assert(
      grants.every(({ used }) => used <= 17),
      'used above the limit',
    )
  },

  'a reserve brings what is left and never more': async ({ take }) => {
    equalGrant(await take({ reserve: 2 }), { granted: 3 })
    equalGrant(await take({ reserve: 9 }), { granted: 2, used: 5, retryIn: 0 })
    equalGrant(await take({ reserve: 9 }), { granted: 0 })
  },

  'a limit lowered within a window grants nothing more': async ({ take }) => {
    await take({ cost: 4 })
    equalGrant(await take({ limit: 3 }), { granted: 0, used: 3 })
  },

  'policies and clients never share a count': async ({ take, client }) => {
    const pairs = [
      ['', `a:${client}`],
      ['a', client],
      ['', client],
      ['a', `a:${client}`],
      ['', `:${client}`],
      ['', `2001:db8::${client}`],
      ['2001', `db8::${client}`],
      ['a', `${client} `],
      ['a', `${client}*`],
      ['a', `{${client}}`],
    ] as const
    for (const [policy, name] of pairs) {
      equalGrant(await take({ policy, client: name }), { used: 1 })
    }
  },
}
