import type { DrillContext, VariantFindings } from './context.ts'
import { type Check, type Finding, notExamined, type Outcome, type TriedVariant } from './report.ts'
import { tryVariant, type Variant } from './try-variant.ts'

/** The texts of a check of variants. */
export interface VariantTexts {
  readonly check: Check
  /** Such as `forged header fields`. */
  readonly kind: string
  /** What to do if a variant evades the limit. */
  readonly remedy: string
}

/** A finding that this machine cannot make a check, and why. */
export const notTried = (check: Check, why: string): VariantFindings => ({
  findings: [{ check, level: 'info', says: `Not tried: ${why}.` }],
  variants: [],
})

/**
 * Tries each variant, and sums up what became of them. If the drill ends meanwhile, sums up those
 * that were tried.
 */
export async function tryVariants(
  texts: VariantTexts,
  variants: readonly Variant[],
  context: DrillContext,
): Promise<VariantFindings> {
  const { check } = texts
  if (context.closed.lastRefusal() === undefined) {
    return { findings: [notExamined(check, 'No request was refused')], variants: [] }
  }
  const tried: TriedVariant[] = []
  try {
    for (const variant of variants) tried.push(await tryVariant(check, variant, context))
    // A ban that answers everything must not look like a handler that variants do not reach.
    if (tried.some(({ outcome }) => outcome === 'elsewhere')) await context.closed.isStillClosed()
  } catch (stoppedBy) {
    if (tried.length === 0) return { findings: [], variants: [], stoppedBy }
    const untried = variants
      .slice(tried.length)
      .map(({ name }): TriedVariant => ({ check, variant: name, outcome: 'untried', status: 0 }))
    const all = [...tried, ...untried]
    return { findings: [sumUp(texts, all, context)], variants: all, stoppedBy }
  }
  return { findings: [sumUp(texts, tried, context)], variants: tried }
}

function sumUp(
  { check, kind, remedy }: VariantTexts,
  tried: readonly TriedVariant[],
  { closed }: DrillContext,
): Finding {
  const of = (outcome: Outcome) => tried.filter((one) => one.outcome === outcome)
  const [evaded, shared] = [of('evaded'), of('shared')]
  const why = closed.lostBecause() ?? 'the window ended meanwhile'
  const others = [
    sentence('Did not reach the handler', of('elsewhere'), true),
    sentence('Not clear, because of an error of the server', of('failed'), true),
    sentence(`Not clear, because ${why}`, of('unclear')),
    sentence('Not tried, because the drill ended before', of('untried')),
  ]
  const blockedBy = closed.blockedBy()
  if (blockedBy !== undefined) others.push(` Now plain requests get ${blockedBy} too.`)
  if (evaded.length > 0) {
    const statuses = [...new Set(evaded.map(({ status }) => status))].join(', ')
    return {
      check,
      level: 'failure',
      says: `Passed with a quota of their own while plain requests were refused: ${namesOf(evaded)} (${statuses}).${others.join('')}`,
      remedy,
    }
  }
  const says =
    shared.length > 0
      ? `These ${kind} share the quota: ${namesOf(shared)}.`
      : `No ${kind} got a quota.`
  const isExamined = isComplete(tried) && blockedBy === undefined
  return { check, level: isExamined ? 'ok' : 'not examined', says: says + others.join('') }
}

/** Whether there is a result for each variant. */
export const isComplete = (tried: readonly TriedVariant[]) =>
  tried.every(({ outcome }) => !['failed', 'unclear', 'untried'].includes(outcome))

const sentence = (what: string, tried: readonly TriedVariant[], withStatus = false) =>
  tried.length > 0 ? ` ${what}: ${namesOf(tried, withStatus)}.` : ''

const namesOf = (tried: readonly TriedVariant[], withStatus = false) =>
  tried
    .map(({ variant, status }) =>
      withStatus ? `${variant} (${status || 'no response'})` : variant,
    )
    .join(', ')
