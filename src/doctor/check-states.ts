import type { Check, Finding, Level } from './report.ts'

/** How many examinations in a row must agree before a state changes. */
const EXAMINATIONS = 3

/** The state of a check over several examinations. */
export type State = Exclude<Level, 'info'>

const STATES: readonly State[] = ['ok', 'warning', 'failure']

/** A check whose state has changed. The texts are those of its latest finding in the new state. */
export interface Change extends Pick<Finding, 'check' | 'says' | 'remedy'> {
  readonly from: State
  readonly to: State
  /** How long the check was in the state `from`, in ms. */
  readonly lasted: number
}

export interface CheckStates {
  /** Adds the findings of one examination. Returns the checks whose state changes by it. */
  observe(findings: readonly Finding[], now: number): readonly Change[]
  isBad(check: Check): boolean
}

interface CheckHistory {
  readonly state: State
  readonly since: number
  /** The latest findings, at most `EXAMINATIONS`. */
  readonly recent: readonly Finding[]
}

/**
 * The states of all checks, which start as `ok`. A state gets worse when the results of the latest
 * three examinations were all worse. The new state is the mildest of the three results. A state gets
 * better when all three were better. The new state is then the most severe of the three results. An
 * examination in which a check did not run does not count for this check.
 */
export function createCheckStates(start: number): CheckStates {
  const histories = new Map<Check, CheckHistory>()

  function observe(finding: Finding, now: number): Change | undefined {
    const { check } = finding
    const before = histories.get(check) ?? { state: 'ok', since: start, recent: [] }
    const { state: from, since } = before
    const recent = [...before.recent, finding].slice(-EXAMINATIONS)
    const to = recent.length < EXAMINATIONS ? from : nextState(from, recent)
    const isChanged = to !== from
    histories.set(check, { state: to, since: isChanged ? now : since, recent })
    if (!isChanged) return undefined
    const { says, remedy } = recent.findLast((past) => stateOf(past) === to) ?? finding
    return { check, from, to, lasted: Math.max(0, now - since), says, remedy }
  }

  return {
    observe: (findings, now) =>
      worstOfEach(findings).flatMap((finding) => observe(finding, now) ?? []),
    isBad: (check) => (histories.get(check)?.state ?? 'ok') !== 'ok',
  }
}

const stateOf = ({ level }: Finding): State => (level === 'info' ? 'ok' : level)
const badnessOf = (state: State) => STATES.indexOf(state)

function nextState(from: State, recent: readonly Finding[]): State {
  const badness = recent.map((finding) => badnessOf(stateOf(finding)))
  const next = Math.min(Math.max(badnessOf(from), Math.min(...badness)), Math.max(...badness))
  return STATES[next] ?? from
}

/** The worst finding of each check that ran: a report may have two findings of a check. */
function worstOfEach(findings: readonly Finding[]): readonly Finding[] {
  const worst = new Map<Check, Finding>()
  for (const finding of findings) {
    if (finding.isSkipped) continue
    const known = worst.get(finding.check)
    if (known === undefined || badnessOf(stateOf(finding)) > badnessOf(stateOf(known))) {
      worst.set(finding.check, finding)
    }
  }
  return [...worst.values()]
}
