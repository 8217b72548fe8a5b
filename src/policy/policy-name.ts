import { assertOption } from '../checks.ts'

/** Throws a `ConfigError` unless a value can name a policy or a plan. */
export function assertPolicyName(option: string, name: unknown): asserts name is string {
  const isName = typeof name === 'string' && /^[\w.-]{1,64}$/.test(name)
  assertOption(isName, option, name, '1 to 64 letters, digits, ".", "_" or "-"')
}

/** The name of the policy that a demand's `policy` belongs to: a plan may have a key of its own. */
export function policyOf(key: string): string {
  const end = key.indexOf('+')
  return end < 0 ? key : key.slice(0, end)
}
