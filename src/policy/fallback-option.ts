import { assertKeys, assertOption } from '../checks.ts'
import type { Fallback } from '../stores/guard-options.ts'

/** Throws a `ConfigError` unless a value is one of the fallbacks. */
export function assertFallback(option: string, value: unknown): asserts value is Fallback {
  if (typeof value !== 'object' || value === null) {
    const isKind = value === 'local' || value === 'open' || value === 'closed'
    assertOption(isKind, option, value, "'local', { local: 0.25 }, 'open' or 'closed'")
    return
  }
  assertKeys(option, value, ['local'])
  const { local } = value as { readonly local?: unknown }
  const isShare = typeof local === 'number' && local > 0 && local <= 1
  assertOption(isShare, `${option}.local`, local, 'a share above 0, at most 1')
}
