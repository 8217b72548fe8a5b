/** What a benchmark rests on did not hold, so that its figures mean nothing. */
export class BrokenPremise extends Error {
  override readonly name = 'BrokenPremise'
}

/** Ends the run unless what the benchmark rests on holds. `what` is said as it should be. */
export function premise(holds: boolean, what: string, found?: unknown): asserts holds {
  if (holds) return
  const but = found === undefined ? '' : ` (found ${JSON.stringify(found)})`
  throw new BrokenPremise(`broken premise: ${what}${but}`)
}
