import { StoreError } from '../errors.ts'
import type { Demand, Grant, Store } from '../stores/store.ts'
import { assert, equal } from './assert.ts'
import type { ConformanceOptions, Subject } from './subject.ts'

/**
 * Registers a test for each sentence of the contract above `Store` that shows from outside. A store
 * is conformant when all of them pass in every runtime that it is for. `tidegate/testing`
 */
export function storeConformance(options: ConformanceOptions): void {
  const { test, make, unreachable, window = 400 } = options
  const check = (name: string, body: (subject: Subject, client: string) => Promise<void>) =>
    test(name, async () => {
      const subject = await make()
      try {
        await body(subject, `client-${crypto.randomUUID()}`)
      } finally {
        await subject.close?.()
      }
    })
  const demand = (client: string, more: Partial<Demand> = {}): Demand => ({
    policy: 'conformance',
    client,
    limit: 5,
    window,
    cost: 1,
    ...more,
  })
  const isFullWindow = ({ resetIn }: Grant) =>
    assert(resetIn > window / 2 && resetIn <= window, `resetIn ${resetIn} of a new window`)

  check('a first unit opens a window of the full length', async ({ store }, client) => {
    const grant = await take(store, demand(client))
    equal(pick(grant), { granted: 1, used: 1, retryIn: 0 })
    isFullWindow(grant)
  })

  check('exactly the limit is granted, then refused until the end', async (subject, client) => {
    for (let used = 1; used <= 5; used++) {
      equal(pick(await take(subject.store, demand(client))), { granted: 1, used, retryIn: 0 })
    }
    const refused = await take(subject.store, demand(client))
    equal({ granted: refused.granted, used: refused.used }, { granted: 0, used: 5 })
    assert(refused.retryIn > 0 && refused.retryIn <= window + 2, `retryIn ${refused.retryIn}`)
    await subject.elapse(refused.retryIn)
    equal(pick(await take(subject.store, demand(client))), { granted: 1, used: 1, retryIn: 0 })
  })

  check('refused takes are charged nothing', async ({ store }, client) => {
    await take(store, demand(client, { cost: 4 }))
    equal((await take(store, demand(client, { cost: 2 }))).granted, 0)
    equal(pick(await take(store, demand(client))), { granted: 1, used: 5, retryIn: 0 })
  })

  check('a later take does not move the end of the window', async (subject, client) => {
    const first = await take(subject.store, demand(client))
    await subject.elapse(window / 4)
    const second = await take(subject.store, demand(client))
    const moved = first.resetIn - second.resetIn
    assert(moved >= window / 4 - 2, `resetIn fell by ${moved} in ${window / 4} ms`)
    await subject.elapse(second.resetIn + 1)
    equal((await take(subject.store, demand(client))).used, 1)
  })

  check('looking takes nothing and opens no window', async ({ store }, client) => {
    const look = demand(client, { cost: 0 })
    equal(await take(store, look), { granted: 0, used: 0, resetIn: 0, retryIn: 0 })
    await take(store, demand(client, { cost: 5 }))
    const seen = await take(store, look)
    equal(pick(seen), { granted: 0, used: 5, retryIn: 0 })
    isFullWindow(seen)
  })

  check('of calls at the same time exactly the limit is granted', async ({ store }, client) => {
    const grants = await Promise.all(
      Array.from({ length: 40 }, () => take(store, demand(client, { limit: 17 }))),
    )
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
  })

  check(
    'of a call whose demands all fit each gets its cost, in order',
    async ({ store }, client) => {
      const burst = demand(client, { policy: 'burst', limit: 2 })
      const hourly = demand(client, { policy: 'hourly', limit: 9, cost: 3 })
      const grants = await store.take([burst, hourly])
      equal(grants.map(pick), [
        { granted: 1, used: 1, retryIn: 0 },
        { granted: 3, used: 3, retryIn: 0 },
      ])
    },
  )

  check('of a call with a demand that does not fit none is charged', async ({ store }, client) => {
    const burst = demand(client, { policy: 'burst', limit: 1 })
    const hourly = demand(client, { policy: 'hourly', limit: 9 })
    const other = demand(client, { policy: 'other', limit: 9 })
    await take(store, burst)
    for (const demands of [
      [burst, hourly, other],
      [hourly, burst, other],
      [hourly, other, burst],
    ]) {
      const grants = await store.take(demands)
      equal(
        grants.map(({ granted }) => granted),
        [0, 0, 0],
      )
      equal(
        grants.map(({ retryIn }) => retryIn > 0),
        demands.map(({ policy }) => policy === 'burst'),
      )
    }
    const untouched = await store.take([hourly, other])
    equal(
      untouched.map(({ used }) => used),
      [1, 1],
    )
  })

  check('a reserve brings what is left and never more', async ({ store }, client) => {
    equal((await take(store, demand(client, { reserve: 2 }))).granted, 3)
    equal(pick(await take(store, demand(client, { reserve: 9 }))), {
      granted: 2,
      used: 5,
      retryIn: 0,
    })
    equal((await take(store, demand(client, { reserve: 9 }))).granted, 0)
  })

  check('no demands bring no grants', async ({ store }) => {
    equal(await store.take([]), [])
  })

  check('a window whose expiry was lost ends a window later', async (subject, client) => {
    await take(subject.store, demand(client, { cost: 5 }))
    await subject.loseExpiry()
    const found = await take(subject.store, demand(client, { cost: 0 }))
    equal(pick(found), { granted: 0, used: 5, retryIn: 0 })
    assert(found.resetIn > 0 && found.resetIn <= window, `resetIn ${found.resetIn}`)
    await subject.elapse(window + 1)
    equal((await take(subject.store, demand(client))).used, 1)
  })

  check('a window longer than its policy is shortened, its count kept', async (subject, client) => {
    await take(subject.store, demand(client, { window: window * 1000, cost: 4 }))
    const found = await take(subject.store, demand(client))
    equal(pick(found), { granted: 1, used: 5, retryIn: 0 })
    assert(found.resetIn <= window, `resetIn ${found.resetIn}`)
    await subject.elapse(window + 1)
    equal((await take(subject.store, demand(client))).used, 1)
  })

  check('a limit lowered within a window grants nothing more', async ({ store }, client) => {
    await take(store, demand(client, { cost: 4 }))
    const found = await take(store, demand(client, { limit: 3 }))
    equal({ granted: found.granted, used: found.used }, { granted: 0, used: 3 })
  })

  check('a key that was flushed is a fresh window', async (subject, client) => {
    await take(subject.store, demand(client, { cost: 4 }))
    await subject.flush()
    const fresh = await take(subject.store, demand(client))
    equal(pick(fresh), { granted: 1, used: 1, retryIn: 0 })
    isFullWindow(fresh)
  })

  check('policies and clients never share a count', async ({ store }, client) => {
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
      equal((await take(store, demand(name, { policy }))).used, 1)
    }
  })

  check('large limits and long windows are exact', async ({ store }, client) => {
    const limit = 999_999_999_999_999
    const month = 30 * 86_400_000
    const grant = await take(store, demand(client, { limit, window: month, cost: limit - 1 }))
    equal(pick(grant), { granted: limit - 1, used: limit - 1, retryIn: 0 })
    assert(grant.resetIn > month - 60_000 && grant.resetIn <= month, `resetIn ${grant.resetIn}`)
    const last = await take(store, demand(client, { limit, window: month, reserve: 5 }))
    equal(pick(last), { granted: 1, used: limit, retryIn: 0 })
  })

  if (unreachable === undefined) return
  test('a backend that cannot be reached is a StoreError that names no client', async () => {
    const client = `client-${crypto.randomUUID()}`
    const error: unknown = await unreachable()
      .take([demand(client)])
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
    assert(error instanceof StoreError, `threw ${error}`)
    assert(error.code === 'unreachable' || error.code === 'timeout', `code ${error.code}`)
    assert(error.cause !== undefined, 'no cause')
    const told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
    assert(!told.includes(client), 'the error names the client')
  })
}

async function take(store: Store, demand: Demand): Promise<Grant> {
  const grants = await store.take([demand])
  const [grant] = grants
  assert(grants.length === 1 && grant !== undefined, `${grants.length} grants for one demand`)
  return grant
}

const pick = ({ granted, used, retryIn }: Grant) => ({ granted, used, retryIn })
