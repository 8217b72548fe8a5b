import { TransportError } from './http-sender.ts'
import type { Settings } from './options.ts'
import type { Check, Finding } from './report.ts'
import { OutOfRequests } from './session.ts'

/** The checks that every drill should make. The others are for what happens meanwhile. */
const CHECKS: readonly Check[] = [
  'reachability',
  'limit',
  'ratelimit',
  'x-ratelimit',
  'agreement',
  'problem',
  'forged-address',
  'spelling',
  'method',
  'ipv6-neighbour',
  'retry-after',
  'next-window',
]

/** The checks that have no finding, or whose finding is that they could not be made. */
export function uncoveredIn(findings: readonly Finding[]): readonly Check[] {
  return CHECKS.filter((check) => {
    const own = findings.filter((finding) => finding.check === check)
    return own.length === 0 || own.some(({ level }) => level === 'not examined')
  })
}

/**
 * The finding that the drill ended before some checks; `undefined` if each check has a finding.
 *
 * @param reason the error that ended the drill, if there is one
 */
export function checkCoverage(
  findings: readonly Finding[],
  { maxRequests }: Settings,
  reason: unknown,
): Finding | undefined {
  const missing = CHECKS.filter((name) => !findings.some(({ check }) => check === name))
  if (missing.length === 0) return undefined
  const [why, remedy] =
    reason instanceof OutOfRequests
      ? [
          `the drill has sent ${maxRequests} requests, the most it may send`,
          'Raise --max-requests, and run the drill again.',
        ]
      : ['see the failure above', 'Correct the failure, and run the drill again.']
  const says = `The drill ended before these checks: ${missing.join(', ')} (${why}).`
  return { check: 'coverage', level: 'not examined', says, remedy }
}

/**
 * The failure that an error reveals; `undefined` if the drill has no more requests. Throws an error
 * of the drill itself.
 */
export function failureOf(error: unknown): Finding | undefined {
  if (error instanceof OutOfRequests) return undefined
  if (!(error instanceof TransportError)) throw error
  return {
    check: 'reachability',
    level: 'failure',
    says: `The deployment does not answer (${error.message}).`,
    remedy: 'Check that the URL is right, and that this machine can reach it.',
  }
}
