import type { Report } from './report.ts'

/** The exit codes of `tidegate drill`. Each has one meaning. */
export const EXIT_CODES = {
  /** All checks were made, and none failed. */
  passed: 0,
  /** A check failed. */
  failure: 1,
  /** No request was sent: the usage is wrong, or `--yes` is missing. */
  notStarted: 2,
  /** No check failed, but at least one was not examined. */
  notExamined: 3,
  /** All checks were made, and there is a warning: only with `--strict`. */
  warning: 4,
} as const

export function exitCodeOf({ level }: Pick<Report, 'level'>, isStrict: boolean): number {
  if (level === 'failure') return EXIT_CODES.failure
  if (level === 'not examined') return EXIT_CODES.notExamined
  return level === 'warning' && isStrict ? EXIT_CODES.warning : EXIT_CODES.passed
}
