import type { DrillContext, VariantFindings } from './context.ts'
import type { Check, Finding, Outcome, TriedVariant } from './report.ts'
import { tryVariant, type Variant } from './try-variant.ts'

/** The texts of a check of variants. */
export interface VariantTexts {
  readonly check: Check
  /** Such as `forged header fields`. */
  readonly kind: string
  /** What to do if a variant evades the limit. */
  readonly remedy: string
}

/** A finding that a check was not tried, and why. */
export const notTried = (check: Check, why: string): VariantFindings => ({
  findings: [{ check, level: 'info', says: `Not tried: ${why}.` }],
  variants: [],
})

/** Tries each variant, and sums up what became of them. */
export async function tryVariants(
  texts: VariantTexts,
  variants: readonly Variant[],
  context: DrillContext,
): Promise<VariantFindings> {
  if (context.closed.lastRefusal() === undefined) {
    return notTried(texts.check, 'no request was refused')
  }
  const tried: TriedVariant[] = []
  for (const variant of variants) tried.push(await tryVariant(texts.check, variant, context))
  return { findings: [sumUp(texts, tried)], variants: tried }
}

function sumUp({ check, kind, remedy }: VariantTexts, tried: readonly TriedVariant[]): Finding {
  const of = (outcome: Outcome) => tried.filter((one) => one.outcome === outcome)
  const [evaded, elsewhere, unclear] = [of('evaded'), of('elsewhere'), of('unclear')]
  if (evaded.length > 0) {
    const statuses = [...new Set(evaded.map(({ status }) => status))].join(', ')
    return {
      check,
      level: 'failure',
      says: `Passed with a quota of their own while plain requests were refused: ${namesOf(evaded)} (${statuses}).`,
      remedy,
    }
  }
  const others =
    elsewhere.length > 0 ? ` Did not reach the handler: ${namesOf(elsewhere, true)}.` : ''
  if (unclear.length > 0) {
    return {
      check,
      level: 'info',
      says: `Not clear, because the window ended meanwhile: ${namesOf(unclear)}.${others}`,
    }
  }
  const shared = of('shared')
  const says =
    shared.length > 0
      ? `These ${kind} share the quota: ${namesOf(shared)}.`
      : `No ${kind} got a quota.`
  return { check, level: 'ok', says: says + others }
}

const namesOf = (tried: readonly TriedVariant[], withStatus = false) =>
  tried
    .map(({ variant, status }) =>
      withStatus ? `${variant} (${status || 'no response'})` : variant,
    )
    .join(', ')
