/** A route that counts failed logins alone: `settle` is 0 for a login that succeeds. */
import { afterAll, describe, expect, test } from 'vitest'
import { createLimiter, header, type Store } from '../../src/index.ts'
import { type Random, random } from '../../src/simulation/random.ts'
import { pause } from '../support/pause.ts'
import { isolateStores } from './support/isolate-stores.ts'

const LIMIT = 5
const LOGINS = 1_000
const { kinds, stop } = await isolateStores()
afterAll(stop)

/** A route for logins in one isolate. The handler takes a moment, as a hash of a password does. */
function loginRoute(store: Store, { below }: Random) {
  const limiter = createLimiter({
    name: 'login',
    limit: LIMIT,
    window: '15m',
    client: header('x-user'),
    settle: (response) => (response.ok ? 0 : 1),
    timeout: '30s',
    onStoreEvent: (event) => troubles.push(event),
    store,
  })
  let handled = 0
  const troubles: unknown[] = []
  async function login(request: Request): Promise<Response> {
    handled++
    await pause(below(3))
    return new Response(null, { status: request.headers.has('x-good') ? 200 : 401 })
  }
  return {
    /** Sends a login and returns the status. */
    async send(user: string, isGood: boolean): Promise<number> {
      const headers = { 'x-user': user, ...(isGood && { 'x-good': 'yes' }) }
      const request = new Request('https://example.com/login', { method: 'POST', headers })
      return (await limiter.handle(request, () => login(request))).status
    },
    handled: () => handled,
    /** What happened to the store. Without it, the isolate decides by itself. */
    troubles,
  }
}

/** How often each status came back. */
function tally(statuses: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Calls `send` `count` times, with at most `width` calls at once. */
async function inFlight(
  count: number,
  width: number,
  send: (index: number) => Promise<number>,
): Promise<readonly number[]> {
  const statuses: number[] = []
  let sent = 0
  const lane = async () => {
    while (sent < count) statuses.push(await send(sent++))
  }
  await Promise.all(Array.from({ length: width }, lane))
  return statuses
}

for (const [kind, make] of Object.entries(kinds)) {
  describe(`a limit of five failed logins, over ${kind}`, () => {
    const chance = () => random(1, kind)

    test('refuses none of 1,000 good logins of a client, five at a time', async () => {
      const { send, troubles } = loginRoute(make()[0] as Store, chance())
      const user = crypto.randomUUID()
      const statuses = await inFlight(LOGINS, LIMIT, () => send(user, true))
      expect(tally(statuses)).toEqual({ 200: LOGINS })
      expect(troubles).toEqual([])
    })

    test('refuses none of 1,000 clients at once', async () => {
      const { send, troubles } = loginRoute(make()[0] as Store, chance())
      const statuses = await Promise.all(
        Array.from({ length: LOGINS }, () => send(crypto.randomUUID(), true)),
      )
      expect(tally(statuses)).toEqual({ 200: LOGINS })
      expect(troubles).toEqual([])
    })

    test('lets five of 1,000 guesses of a client reach the handler', async () => {
      const { send, handled } = loginRoute(make()[0] as Store, chance())
      const user = crypto.randomUUID()
      const statuses = await Promise.all(Array.from({ length: LOGINS }, () => send(user, false)))
      expect(tally(statuses)).toEqual({ 401: LIMIT, 429: LOGINS - LIMIT })
      expect(handled()).toBe(LIMIT)
    })

    test('lets five of 1,000 guesses reach the handlers of four isolates', async () => {
      const routes = make().map((store) => loginRoute(store, chance()))
      const user = crypto.randomUUID()
      const statuses = await Promise.all(
        Array.from({ length: LOGINS }, (_, index) =>
          routes[index % routes.length]?.send(user, false),
        ),
      )
      expect(statuses.filter((status) => status === 401)).toHaveLength(LIMIT)
      expect(routes.reduce((sum, { handled }) => sum + handled(), 0)).toBe(LIMIT)
    })
  })
}
