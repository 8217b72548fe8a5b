import { StoreError } from '../errors.ts'
import type { Grant } from '../stores/store.ts'

/**
 * Throws a `StoreError` unless a store answered with one grant per demand. A custom store may
 * return anything, and a value that is not a number would let every request pass.
 */
export function assertGrants(grants: readonly Grant[], length: number): void {
  // The copy has no holes, which `every` would skip.
  if (Array.isArray(grants) && grants.length === length && [...grants].every(isGrant)) return
  throw new StoreError('rejected', 'the store must return one grant per demand')
}

const isGrant = (grant: Partial<Grant> | null | undefined) =>
  [grant?.granted, grant?.used, grant?.resetIn, grant?.retryIn].every(Number.isFinite)
