/**
 * What the isolate does against its invariants, and the model passes over. Without a switch the
 * model fails.
 */
export const KNOWN_ISSUES = {
  /** An ended count of an outage hides that the window of a later answer has not ended. */
  endedCounts: true,
}
