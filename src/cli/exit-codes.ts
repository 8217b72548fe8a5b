/** The exit codes of all commands of `tidegate`. Each has one meaning. */
export const EXIT_CODES = {
  /** What was asked for is done, and no check failed. */
  passed: 0,
  /** A check failed, or the gateway could not start. */
  failure: 1,
  /** Nothing was done: the usage is wrong, or `--yes` is missing. */
  notStarted: 2,
  /** No check failed, but at least one was not examined. */
  notExamined: 3,
  /** All checks were made, and there is a warning: only with `--strict`. */
  warning: 4,
  /** An error in Tidegate itself. */
  crashed: 5,
} as const
