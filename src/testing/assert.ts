import type { Grant } from '../stores/store.ts'

/* For the suite alone, which runs under any runner and so brings its own. */

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** By their JSON, which is all that grants are made of. */
export function equal(got: unknown, want: unknown): void {
  const [found, wanted] = [JSON.stringify(got), JSON.stringify(want)]
  assert(found === wanted, `got ${found}, want ${wanted}`)
}

/** Compares the members of a grant that `want` names. The others may be anything. */
export const equalGrant = (got: Grant, want: Partial<Grant>): void =>
  equal(got, { ...got, ...want })
