import { expect, test } from 'vitest'
import { createAlert } from '../../src/doctor/alert.ts'
import { createWebhook } from '../../src/doctor/webhook.ts'
import { manualClock } from '../../src/testing/index.ts'

const SECRET = 'T0000-hush'
const url = new URL(`https://hooks.example.com/services/${SECRET}`)

/** Resolves when all that does not wait for a timer is done. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

type Answer = () => Promise<Response>

/** A webhook in virtual time, which gives these answers in order and then 204. */
function webhookThat(...answers: readonly Answer[]) {
  const clock = manualClock(0)
  const posts: { readonly at: number; readonly body: unknown; readonly init: RequestInit }[] = []
  const problems: string[] = []
  const fetcher: typeof fetch = async (input, init = {}) => {
    expect(`${input}`).toBe(`${url}`)
    const answer = answers[posts.length]
    posts.push({ at: clock() / 1000, body: JSON.parse(`${init.body}`), init })
    return answer === undefined ? new Response(null, { status: 204 }) : answer()
  }
  const notify = (problem: string) => problems.push(problem)
  const webhook = createWebhook({ url, notify, fetch: fetcher, clock, timer: clock.timer })
  return {
    posts,
    problems,
    bodies: () => posts.map(({ body }) => body),
    ...webhook,
    /** Lets virtual time pass. */
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        await settled()
        clock.advance(1000)
      }
      await settled()
    },
  }
}

const status =
  (code: number, headers = {}) =>
  async () =>
    new Response('x', { status: code, headers })
const hangs: Answer = () => new Promise(() => {})
const fails: Answer = async () => {
  const cause = Object.assign(new Error(`connect to ${url}`), { code: 'ECONNREFUSED' })
  throw new TypeError(`fetch failed: ${url}`, { cause })
}

test('a message is one POST of JSON, which follows no redirect', async () => {
  const { send, pass, posts, problems } = webhookThat()
  send({ a: 1 })
  await pass(900)
  expect(posts).toMatchObject([
    {
      body: { a: 1 },
      init: {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/json' },
      },
    },
  ])
  expect(problems).toEqual([])
})

test('a webhook that fails or hangs is tried again, ever more rarely, and messages stay in order', async () => {
  const { send, pass, posts, problems, bodies } = webhookThat(
    fails,
    hangs,
    status(503),
    status(500),
  )
  send({ message: 1 })
  send({ message: 2 })
  await pass(120)
  expect(bodies()).toEqual([...Array(5).fill({ message: 1 }), { message: 2 }])
  // Each delay is longer. The second attempt hangs for ten seconds first.
  expect(posts.map(({ at }) => Math.round(at))).toEqual([0, 1, 16, 31, 91, 91])
  expect(problems[0]).toBe(
    'the webhook did not take a message: it cannot be reached (ECONNREFUSED). The next attempt is in 1 s',
  )
  expect(problems[1]).toContain('no answer within 10 s')
  expect(problems[2]).toContain('it answered 503')
  for (const problem of problems) expect(problem).not.toMatch(/hush|example/)
})

test('a webhook that stays away gets seven attempts within twelve minutes', async () => {
  const { send, pass, posts, problems } = webhookThat(...Array<Answer>(50).fill(hangs))
  send({ message: 1 })
  await pass(900)
  expect(posts).toHaveLength(7)
  expect(posts.at(-1)?.at).toBeLessThan(12 * 60)
  expect(problems.at(-1)).toContain('which is lost: no answer within 10 s')
  send({ message: 2 })
  await pass(1)
  expect(posts).toHaveLength(8)
})

test('an answer that will not change is not asked for again', async () => {
  for (const code of [301, 400, 403, 404, 410]) {
    const { send, pass, posts, problems } = webhookThat(status(code))
    send({ message: 1 })
    await pass(900)
    expect(posts).toHaveLength(1)
    expect(problems).toEqual([
      `the webhook did not take a message, which is lost: it answered ${code}`,
    ])
  }
})

test('Retry-After is obeyed, up to five minutes', async () => {
  const limited = (seconds: string) => status(429, { 'retry-after': seconds })
  const { send, pass, posts } = webhookThat(limited('20'), limited('86400'), limited('x'))
  send({ message: 1 })
  await pass(400)
  expect(posts.map(({ at }) => Math.round(at))).toEqual([0, 20, 320, 335])
})

test('at most twenty messages wait; the oldest is dropped', async () => {
  const { send, pass, problems, bodies } = webhookThat(fails)
  for (let message = 0; message < 30; message++) send({ message })
  await pass(10)
  const [first, again, ...others] = bodies()
  expect([first, again]).toEqual([{ message: 0 }, { message: 0 }])
  expect(others).toEqual(Array.from({ length: 20 }, (_, index) => ({ message: index + 10 })))
  expect(problems.filter((problem) => problem.includes('the oldest is lost'))).toHaveLength(9)
})

test('an alert has a text for Slack and one for Discord, and neither notifies anybody', () => {
  const says = `<!channel> <@U1> & ${'x'.repeat(3000)}`
  const change = { check: 'errors', from: 'ok', to: 'warning', lasted: 0, says } as const
  const alert = createAlert('REDIS_URL', [change], 0)
  expect(alert.text).toMatch(
    /^tidegate doctor, the store that REDIS_URL names:\nwarning: errors: &lt;!channel&gt; &lt;@U1&gt; &amp; x/,
  )
  expect(alert.content).toMatch(/\nwarning: errors: <!channel> <@U1> & x/)
  expect(alert.content.length).toBe(2000)
  expect(alert).toMatchObject({
    allowed_mentions: { parse: [] },
    store: 'REDIS_URL',
    at: '1970-01-01T00:00:00.000Z',
    changes: [change],
  })
})
