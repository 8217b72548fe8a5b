/**
 * What the test files import as 'vitest' inside workerd, where Vitest itself cannot run without
 * Node's APIs: it registers the tests, and exports Vitest's own `expect`.
 */
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import * as chai from 'chai'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

type Body = () => unknown

/** The tests registered so far, by their full names. */
export const noted = new Map<string, Body>()
const suites: string[] = []
let provided: Readonly<Record<string, unknown>> = {}

export const expect = Object.assign((value: unknown, message?: string) => {
  return chai.expect(value, message)
}, chai.expect)

export function describe(name: string, body: () => void): void {
  suites.push(name)
  body()
  suites.pop()
}

export function test(name: string, body: Body): void {
  const fullName = [...suites, name].join(' > ')
  if (noted.has(fullName)) throw new Error(`Two tests are called "${fullName}"`)
  noted.set(fullName, body)
}

export const inject = (key: string) => provided[key]

export function provide(values: Readonly<Record<string, unknown>>): void {
  provided = values
}
