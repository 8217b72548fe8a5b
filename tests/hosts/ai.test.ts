/**
 * examples/ai with the AI SDK, around the built package, over our own gateway in front of a real Redis. Its model
 * is a server on this machine that speaks the API of OpenAI.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { bundle, startWorker } from '../../scripts/workerd.ts'
import { askerOf } from '../../src/client/client.ts'
import type { Store } from '../../src/index.ts'
import { settling } from '../../src/settling/settling.ts'
import { upstash } from '../../src/stores/upstash.ts'
import { type ModelAnswer, startFakeModel } from '../support/fake-model.ts'
import { blocksOf } from './support/docs-code.ts'
import { programs } from './support/programs.ts'

/** In ms. The first run may have to download the AI SDK. */
const INSTALL = 300_000
const EXAMPLE = resolve('examples/ai')

/** What the example exports, without the types of the AI SDK, which is installed by this test. */
interface Member {
  readonly user: string
  readonly org: string
}
type Handler = (request: Request, member: Member) => Promise<Response>
type Tools = (member: Member) => object
interface Example {
  chat(model: unknown, store: Store, toolsOf?: Tools): Handler
  searchTool(
    store: Store,
    search: (query: string) => Promise<readonly string[]>,
  ): (user: string) => object
}

const host = programs()
const model = await startFakeModel()
const prefix = crypto.randomUUID()
const store = upstash(inject('gateway'), { prefix })
let example: Example
let languageModel: unknown
let member: Member
const logged = vi.spyOn(console, 'error').mockImplementation(() => {})

beforeAll(async () => {
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline']
  await host.run('npm', args, { cwd: EXAMPLE })
  const load = (path: string) => import(pathToFileURL(join(EXAMPLE, path)).href)
  example = { ...(await load('src/chat.ts')), ...(await load('src/search-tool.ts')) }
  const provider = await load('node_modules/@ai-sdk/openai-compatible/dist/index.js')
  const options = { name: 'fake', baseURL: model.url, includeUsage: true }
  languageModel = provider.createOpenAICompatible(options)('fake')
}, INSTALL)
beforeEach(() => {
  member = { user: crypto.randomUUID(), org: crypto.randomUUID() }
  logged.mockClear()
})
afterAll(async () => {
  logged.mockRestore()
  await host.stop()
  await model.stop()
})

const question = (signal?: AbortSignal) =>
  new Request('https://example.com/api/chat', {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', parts: [{ type: 'text', text: 'Why?' }] }] }),
    ...(signal && { signal }),
  })

/** The tokens that the user and the organisation have used, and how many of these are settled. */
async function counts() {
  const windows = { user: 3_600_000, org: 86_400_000 }
  const demands = Object.entries(windows).map(async ([policy, window]) => {
    const client = (await askerOf(policy === 'user' ? member.user : member.org))?.name ?? ''
    return { policy, client, limit: 1e9, window, cost: 0, settling: 'look' }
  })
  const grants = await settling(store).take(await Promise.all(demands))
  return { used: grants.map(({ used }) => used), settled: grants.map((grant) => grant.settled) }
}
const usedTokens = async () => (await counts()).used
const settledTokens = async () => (await counts()).settled

/** Sends a question, to which the model gives this answer. */
async function ask(answer: ModelAnswer, signal?: AbortSignal): Promise<Response> {
  model.answerWith(() => answer)
  return example.chat(languageModel, store)(question(signal), member)
}

/** Expects that the reservation is counted: 1,000 tokens for the answer, and some for the question. */
async function expectReservation(isSettled: boolean) {
  const [reserved = 0] = await usedTokens()
  expect(reserved).toBeGreaterThan(1_000)
  expect(reserved).toBeLessThan(1_100)
  await expect.poll(settledTokens).toEqual(isSettled ? [reserved, reserved] : [0, 0])
  expect(await usedTokens()).toEqual([reserved, reserved])
}

test('the example has no error of types', async () => {
  await host.run(resolve('node_modules/.bin/tsc'), ['-p', EXAMPLE], { cwd: EXAMPLE })
})

test('the page shows the files of the example as they are', () => {
  const shown = blocksOf('docs/ai.md').filter(({ language }) => language === 'ts')
  const names = ['budget', 'chat', 'reservation', 'search-tool']
  expect(shown.map(({ name }) => name)).toEqual(names.map((name) => `examples/ai/src/${name}.ts`))
  for (const { name, code } of shown) expect(code).toBe(readFileSync(`${name}`, 'utf8'))
})

test('a stream counts what the model reports, for the user and the organisation', async () => {
  const tokens = { prompt: 20, completion: 300 }
  let end = (_: unknown): void => {}
  const until = new Promise((resolve) => {
    end = resolve
  })
  const response = await ask({ words: ['Because', ' of', ' the', ' moon.'], tokens, until })
  expect(response.headers.get('ratelimit')).toMatch(/"user";r=48\d\d\d;t=3600, "org";r=99\d\d\d\d/)
  await expectReservation(false)
  end('now')
  expect(await response.text()).toMatch(/Because.* of.* the.* moon\./s)
  await expect.poll(usedTokens).toEqual([320, 320])
})

test('more than was reserved counts, and then the user is refused', async () => {
  await (await ask({ words: ['Long'], tokens: { prompt: 0, completion: 49_500 } })).text()
  await expect.poll(usedTokens).toEqual([49_500, 49_500])
  const refused = await ask({})
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toMatch(/^(?:3600|359\d)$/)
  expect(await refused.json()).toMatchObject({ 'violated-policies': ['user'] })
  expect(await usedTokens()).toEqual([49_500, 49_500])
})

test('a model that reports no usage counts as the reservation', async () => {
  await (await ask({ words: ['Because'] })).text()
  await expectReservation(true)
})

/** Reads a response until it contains the model's word. */
async function readWord(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (let said = ''; !said.includes('Well'); ) said += (await reader?.read())?.value ?? ''
  return reader
}

test('a stream that the client cuts off leaves the model, and counts as the reservation', async () => {
  const stop = new AbortController()
  const reader = await readWord(await ask({ words: ['Well'], end: 'never' }, stop.signal))
  const before = model.left()
  stop.abort()
  while (!(await reader?.read())?.done);
  await expect.poll(model.left).toBe(before + 1)
  await expectReservation(true)
})

test('a stream whose response is cancelled is read to its end, and counts what it used', async () => {
  const tokens = { prompt: 20, completion: 300 }
  const reader = await readWord(await ask({ words: Array(20).fill('Well'), tokens }))
  await reader?.cancel()
  await expect.poll(settledTokens).toEqual([320, 320])
  expect(await usedTokens()).toEqual([320, 320])
})

test('a stream that breaks counts as the reservation', async () => {
  const response = await ask({ words: ['Well'], end: 'broken' })
  await expect(response.text()).rejects.toThrow()
  await expectReservation(true)
  expect(logged).toHaveBeenCalled()
})

test('a request that the model refuses counts as nothing', async () => {
  const response = await ask({ status: 400 })
  expect(await response.text()).toContain('"type":"error"')
  await expect.poll(usedTokens).toEqual([0, 0])
  expect(logged).toHaveBeenCalled()
})

test('an agent whose search is limited gets the delay, and answers', async () => {
  const search = vi.fn(async () => ['a page'])
  const tool = example.searchTool(store, search)
  const handle = example.chat(languageModel, store, ({ user }) => ({ search: tool(user) }))
  const tokens = { prompt: 10, completion: 5 }
  const from = model.requests.length
  model.answerWith(({ messages }) => {
    const isLimited = JSON.stringify(messages.at(-1)?.content ?? '').includes('rate_limited')
    return isLimited ? { words: ['Ask me again.'], tokens } : { search: 'tides', tokens }
  })
  const response = await handle(question(), member)
  expect(await response.text()).toContain('Ask me again.')
  expect(search).toHaveBeenCalledTimes(3)

  const steps = model.requests.slice(from)
  const results = steps.at(-1)?.messages.filter(({ role }) => role === 'tool')
  expect(results?.slice(0, 3).map(({ content }) => JSON.parse(`${content}`))).toEqual(
    Array(3).fill({ results: ['a page'] }),
  )
  expect(JSON.parse(`${results?.[3]?.content}`)).toEqual({
    error: 'rate_limited',
    retryAfterSeconds: expect.toSatisfy((wait: number) => wait > 55 && wait <= 60),
  })
  // Five steps of 15 tokens.
  await expect.poll(usedTokens).toEqual([75, 75])
})

/** The Worker that docs/ai.md describes. Its member comes from headers in place of a session. */
const WORKER = `
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { upstash } from 'tidegate/upstash'
import { chat } from './src/chat.ts'

let answer
export default {
  fetch(request, { model, redis, prefix }, ctx) {
    const provider = createOpenAICompatible({ name: 'fake', baseURL: model, includeUsage: true })
    answer ??= chat(provider('fake'), upstash(redis, { prefix }))
    const [user, org] = ['x-user', 'x-org'].map((name) => request.headers.get(name))
    return answer(request, { user, org }, (work) => ctx.waitUntil(work))
  },
}`

describe('in a Worker without nodejs_compat', () => {
  let worker: Awaited<ReturnType<typeof startWorker>>
  beforeAll(async () => {
    const script = await bundle({ stdin: { contents: WORKER, resolveDir: EXAMPLE } })
    const env = { model: model.url, redis: inject('gateway'), prefix }
    worker = await startWorker({ script, env })
  })
  afterAll(() => worker.stop())

  async function send(answer: ModelAnswer, signal?: AbortSignal): Promise<Response> {
    model.answerWith(() => answer)
    const headers = { 'x-user': member.user, 'x-org': member.org }
    const body = await question().text()
    return worker.fetch('/', { method: 'POST', headers, body, ...(signal && { signal }) })
  }
  const tokens = { prompt: 20, completion: 300 }

  test('a stream counts what the model reports, and more than the budget is refused', async () => {
    const response = await send({ words: ['Because', ' of'], tokens })
    expect(response.headers.get('ratelimit')).toMatch(
      /"user";r=48\d\d\d;t=3600, "org";r=99\d\d\d\d/,
    )
    expect(await response.text()).toMatch(/Because.* of/s)
    await expect.poll(usedTokens).toEqual([320, 320])
    await (await send({ words: ['Long'], tokens: { prompt: 0, completion: 49_500 } })).text()
    await expect.poll(settledTokens).toEqual([49_820, 49_820])
    expect((await send({})).status).toBe(429)
  })

  test('a stream whose client has left is read to its end, and counts what it used', async () => {
    const stop = new AbortController()
    await readWord(await send({ words: Array(200).fill('Well'), tokens }, stop.signal))
    stop.abort()
    await expect.poll(settledTokens).toEqual([320, 320])
  })
})
