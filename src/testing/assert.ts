import type { Grant } from '../stores/store.ts'

/* The assertions of the suite, which must not depend on a test runner. */

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Compares two values by their JSON. Grants contain nothing else. */
export function equal(got: unknown, want: unknown): void {
  const [found, wanted] = [JSON.stringify(got), JSON.stringify(want)]
  assert(found === wanted, `expected ${wanted}, got ${found}`)
}

/** Compares the members of a grant that `want` names. The others may be anything. */
export const equalGrant = (got: Grant, want: Partial<Grant>): void =>
  equal(got, { ...got, ...want })
