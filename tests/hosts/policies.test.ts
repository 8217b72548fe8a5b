import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { guard, memory, type PolicyState, type Store } from '../../src/index.ts'
import { redis } from '../../src/stores/redis.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { startObjects } from '../support/durable-object.ts'
import { installDocsCode } from './support/docs-code.ts'

const { load, remove } = installDocsCode(['docs/policies.md'])
const tcp = new Redis(inject('redisUrl'))
const objects = await startObjects()
afterAll(async () => {
  remove()
  tcp.disconnect()
  await objects.stop()
})

/** What the page exports. */
interface Page {
  mailer(store: Store): (user: { id: string }, recipients: readonly string[]) => Promise<string>
  messages(store: Store): (user: string, team: string) => Promise<boolean>
  quota(store: Store): Record<'use' | 'left' | 'forgive', (user: string) => Promise<unknown>>
  crawler(
    store: Store,
    fetchPage: (url: string) => Promise<string>,
  ): (url: string) => Promise<string>
  api(
    store: Store,
    planOf: (key: string | undefined) => string,
  ): (request: Request) => Promise<PolicyState | undefined>
  guardLogins(
    store: Store,
    login: (request: Request) => Promise<Response>,
  ): (request: Request, address: string) => Promise<Response>
  tokenBudget(
    store: Store,
    ask: (prompt: string) => Promise<{ tokens: number }>,
  ): (user: string, prompt: string) => Promise<string>
}

async function example<Name extends keyof Page>(file: string, name: Name): Promise<Page[Name]> {
  return ((await load(`policies/${file}`)) as Page)[name]
}

const STORES: Readonly<Record<string, () => Store>> = {
  memory: () => memory(),
  'Redis over REST': () => upstash(inject('gateway'), { prefix: crypto.randomUUID() }),
  'Redis over TCP': () => redis(tcp, { prefix: crypto.randomUUID() }),
  'a Durable Object': () => ({ ...objects.storeOf('TIDEGATE'), guard }),
}
const newClient = () => crypto.randomUUID()

for (const [kind, make] of Object.entries(STORES)) {
  describe(`the examples of docs/policies.md, over ${kind}`, () => {
    test('take counts mails by their recipients', async () => {
      const send = (await example('take.ts', 'mailer'))(make())
      const user = { id: newClient() }
      expect(await send(user, Array(51))).toBe('at most 50 recipients')
      expect(await send(user, Array(30))).toBe('sent')
      expect(await send(user, Array(30))).toMatch(/^try again in 3[56]\d\d s$/)
      expect(await send(user, Array(20))).toBe('sent')
    })

    test('clients are counted in their own policies', async () => {
      const send = (await example('clients.ts', 'messages'))(make())
      const [ann, bob, team] = [newClient(), newClient(), newClient()]
      if (kind === 'a Durable Object') {
        await expect(send(ann, team)).rejects.toThrow(/^take\.clients: expected the same client/)
        return
      }
      const sent = []
      for (const user of [ann, ann, ann, ann, bob, bob, bob]) sent.push(await send(user, team))
      expect(sent).toEqual([true, true, true, false, true, true, false])
    })

    test('peek looks, and reset forgets', async () => {
      const { use, left, forgive } = (await example('quota.ts', 'quota'))(make())
      const user = newClient()
      const used = []
      for (let n = 0; n < 4; n++) used.push(await use?.(user))
      expect([await left?.(user), used]).toEqual([0, [true, true, true, false]])
      await forgive?.(user)
      expect([await left?.(user), await use?.(user), await left?.(user)]).toEqual([3, true, 2])
    })

    test('wait serves all, ten in a second', async () => {
      const times: number[] = []
      const fetchPage = async () => {
        times.push(performance.now())
        return 'page'
      }
      const visit = (await example('wait.ts', 'crawler'))(make(), fetchPage)
      const pages = await Promise.all(Array.from({ length: 15 }, () => visit('/')))
      expect(pages).toEqual(Array(15).fill('page'))
      // The eleventh belongs to the second window.
      expect((times[10] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(900)
    })

    test('a client that changes its plan keeps its count', async () => {
      let plan = 'free'
      const check = (await example('plans.ts', 'api'))(make(), () => plan)
      const key = newClient()
      const visit = async () => {
        const headers = { 'x-api-key': key }
        const {
          limit,
          remaining,
          retryIn = 0,
        } = (await check(new Request('https://example.com/', { headers }))) ?? {}
        return [limit, remaining, retryIn > 0]
      }
      expect([await visit(), await visit()]).toEqual([
        [3, 2, false],
        [3, 1, false],
      ])
      plan = 'pro'
      expect([await visit(), await visit()]).toEqual([
        [5, 2, false],
        [5, 1, false],
      ])
      plan = 'free'
      expect(await visit()).toEqual([3, 0, true])
      plan = 'pro'
      // The refusal under the smaller limit is charged nothing, or one unit.
      const [limit, remaining, isRefused] = await visit()
      expect([limit, isRefused]).toEqual([5, false])
      expect(remaining).toBe(0)
      expect(await visit()).toEqual([5, 0, true])
    })

    test('settle counts failed logins only', async () => {
      let status = 200
      const login = async () => new Response(null, { status })
      const enter = (await example('logins.ts', 'guardLogins'))(make(), login)
      const address = `2001:db8:${newClient().slice(0, 4)}:${newClient().slice(0, 4)}::1`
      const request = () => new Request('https://example.com/login', { method: 'POST' })
      for (let n = 0; n < 10; n++) expect((await enter(request(), address)).status).toBe(200)
      status = 401
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async () => (await enter(request(), address)).status),
      )
      expect(statuses.filter((one) => one === 401)).toHaveLength(5)
    })

    test('settle counts the tokens that were used', async () => {
      const used = [9_000, 100, 0, 0]
      const ask = async () => ({ tokens: used.shift() ?? 0 })
      const store = make()
      const chat = (await example('tokens.ts', 'tokenBudget'))(store, ask)
      const user = newClient()
      // 9,000 of 10,000 are used; the next call reserves 2,000, which do not fit.
      expect([await chat(user, ''), await chat(user, '')]).toEqual(['answered', 'no tokens left'])
    })
  })
}
