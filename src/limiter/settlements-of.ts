import { assertOption, describeType, isCount } from '../checks.ts'
import { ConfigError } from '../errors.ts'
import { policyOf } from '../policy/policy-name.ts'
import { assertUnits } from '../policy/units.ts'
import type { Receipt, ReceiptEntry } from '../settling/receipt.ts'
import type { Settlement } from '../stores/store.ts'
import type { Decision } from './decision.ts'
import type { Units } from './units-options.ts'

/**
 * Returns the settlements of a decision or a receipt; none if there is nothing to settle. Throws a
 * `ConfigError` for anything else, and for wrong units.
 */
export function settlementsOf(decision: Decision | string, units: Units): readonly Settlement[] {
  const receipt = typeof decision === 'string' ? decision : receiptIn(decision)
  const [id, ...entries] = receipt === undefined ? [''] : parseReceipt(receipt)
  if (typeof units !== 'object' || units === null) assertUnits('settle', units)
  else {
    for (const [name, used] of Object.entries(units)) {
      const isSettled = receipt === undefined || entries.some(([key]) => policyOf(key) === name)
      assertOption(isSettled, `settle.${name}`, used, 'the name of a policy that is settled')
      assertUnits(`settle.${name}`, used)
    }
  }
  return entries.flatMap(([policy, client, windowName, reserved]) => {
    const name = policyOf(policy)
    // A policy may have the name of something that each object inherits, such as `constructor`.
    if (typeof units === 'object' && !Object.hasOwn(units, name)) return []
    const used = typeof units === 'object' ? units[name] : units
    return used === undefined ? [] : [{ id, policy, client, windowName, reserved, used }]
  })
}

const EXPECTED = 'a decision or its `receipt`'

function receiptIn(decision: unknown): string | undefined {
  const { allowed, receipt } = Object(decision) as Partial<Decision>
  if (typeof allowed === 'boolean') return receipt
  throw new ConfigError('settle', EXPECTED, describeType(decision))
}

function parseReceipt(text: string): Receipt {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The error below says enough, and does not quote the text.
  }
  if (isReceipt(value)) return value
  throw new ConfigError('settle', EXPECTED, 'another text')
}

const isReceipt = (value: unknown): value is Receipt =>
  Array.isArray(value) && isText(value[0]) && value.slice(1).every(isEntry)

const isEntry = (value: unknown): value is ReceiptEntry =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  isText(value[1]) &&
  isText(value[2]) &&
  isCount(value[3], 0)

const isText = (value: unknown) => typeof value === 'string' && value !== ''
