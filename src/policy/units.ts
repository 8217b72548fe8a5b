import { assertOption, isCount } from '../checks.ts'

/** Throws a `ConfigError` unless a cost is a whole number. Any number above the limit is refused. */
export function assertCost(option: string, cost: unknown): asserts cost is number {
  const isCost = typeof cost === 'number' && cost >= 0 && (cost % 1 === 0 || cost === Infinity)
  assertOption(isCost, option, cost, 'a whole number from 0')
}

/** Throws a `ConfigError` unless units are a whole number from 0. */
export function assertUnits(option: string, units: unknown): asserts units is number {
  assertOption(isCount(units, 0), option, units, 'a whole number of units, from 0')
}
