import { describe, expect, test } from 'vitest'
import { ConfigError, createLimiter, memory } from '../../src/index.ts'

const limiter = createLimiter({
  limit: 1,
  window: '1m',
  client: () => ({ plain: 'a' }),
  store: memory(),
})
const request = new Request('https://example.com/')
const allowed = limiter.check(request)
const refused = allowed.then(() => limiter.check(request))

/** A request of Express: its headers are a plain object. */
const ofExpress = { method: 'GET', url: '/', headers: { host: 'example.com' }, get: () => '' }

/** The header fields of a stub. Those of the Fetch API have more methods. */
const stubbed = { url: '/', method: 'GET', status: 200, headers: { get: () => null } }

/** The methods as JavaScript calls them, whatever the types say. */
const { check, mark, refuse } = limiter as unknown as Record<
  'check' | 'mark' | 'refuse',
  (...args: unknown[]) => unknown
>

const WRONG: Readonly<Record<string, [call: () => unknown, message: RegExp]>> = {
  'check()': [() => check(), /^check: expected a Request.*, got nothing/],
  "check('user_42')": [() => check('user_42'), /^check: expected a Request.*, got "user_42"/],
  'check(null)': [() => check(null), /^check: expected a Request.*, got null/],
  'check(request of Express)': [() => check(ofExpress), /^check: expected a Request.*, got /],
  'check(stub)': [() => check(stubbed), /^check: expected a Request.*, got /],
  'mark(stub, decision)': [
    async () => mark(stubbed, await allowed),
    /^mark: expected a Response.*, got /,
  ],
  'refuse(decision, stub)': [
    async () => refuse(await refused, stubbed),
    /^refuse: expected a Request.*, got /,
  ],
  'check(response)': [() => check(new Response()), /^check: expected a Request.*, got /],
  'check(request, null)': [
    () => check(request, null),
    /^check: expected check\(request, \{.*, got null/,
  ],
  "check(request, 'ip')": [
    () => check(request, 'ip'),
    /^check: expected check\(request, \{.*, got "ip"/,
  ],
  'mark(request, decision)': [
    async () => mark(request, await allowed),
    /^mark: expected a Response.*, got /,
  ],
  'refuse(decision, request of Express)': [
    async () => refuse(await refused, ofExpress),
    /^refuse: expected a Request.*, got /,
  ],
  'refuse(decision, null)': [
    async () => refuse(await refused, null),
    /^refuse: expected a Request .*, got null$/,
  ],
  'refuse({ allowed: false })': [
    () => refuse({ allowed: false }),
    /^refuse: expected the decision of.*, got /,
  ],
  'check(promise)': [() => check(Promise.resolve(request)), /^check: expected .+, got a promise/],
  'mark(response, promise)': [
    () => mark(new Response(), limiter.check(request)),
    /^mark: expected the decision of `await limiter\.check\(request\)`, got a promise/,
  ],
  'mark(response)': [() => mark(new Response()), /^mark: expected the decision.*, got nothing/],
  'mark(promise, decision)': [
    async () => mark(Promise.resolve(new Response()), await allowed),
    /^mark: expected a Response, got a promise/,
  ],
  'refuse(promise)': [
    () => refuse(limiter.check(request)),
    /^refuse: expected the .+, got a promise/,
  ],
  'refuse() of a decision that allows': [
    async () => refuse(await allowed, request),
    /^refuse: expected a decision whose `allowed` is false.*, got /,
  ],
}

describe('a call that cannot be meant is an error that says what is', () => {
  for (const [name, [call, message]] of Object.entries(WRONG)) {
    test(name, async () => {
      const error = await new Promise((resolve) => resolve(call())).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(ConfigError)
      expect(error).toHaveProperty('message', expect.stringMatching(message))
    })
  }

  test('a request and a response of another realm are taken', async () => {
    const like = { url: request.url, method: 'GET', headers: new Headers() }
    expect(await check(like)).toMatchObject({ policy: { limit: 1 } })
    const response = { status: 200, headers: new Headers() }
    expect(mark(response, await refused)).toBe(response)
  })
})
