/**
 * What the isolate does against its invariants, and the model passes over. Without a switch the
 * model fails.
 */
export const KNOWN_ISSUES = {
  /** A refill that is sent after its request has waited charges debts by the time before. */
  staleRefills: true,
  /**
   * In a cluster, the background probes with one key of a client. If that owes nothing, an outage
   * after an error of the server goes on.
   */
  clusterProbesOneKey: true,
  /** An ended count of an outage hides that the window of a later answer has not ended. */
  endedCounts: true,
}
