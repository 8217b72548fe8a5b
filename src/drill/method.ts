import type { DrillContext, VariantFindings } from './context.ts'
import type { Finding } from './report.ts'
import { isComplete, tryVariants } from './variant-findings.ts'

/** Whether HEAD or OPTIONS gets a fresh quota. */
export async function checkMethod(context: DrillContext): Promise<VariantFindings> {
  const { method } = context.settings
  const others = ['HEAD', 'OPTIONS'].filter((other) => other !== method)
  const found = await tryVariants(
    {
      check: 'method',
      kind: 'methods',
      remedy:
        'Let the policy count HEAD with GET, since the same handler answers both, and OPTIONS without a preflight.',
    },
    others.map((name) => ({ name, at: () => ({ method: name }) })),
    context,
  )
  const evaded = found.variants
    .filter(({ outcome }) => outcome === 'evaded')
    .map(({ variant }) => variant)
  const soften = (finding: Finding): Finding => {
    if (evaded.length === 0) return finding
    if (method !== 'GET') {
      return {
        check: 'method',
        level: isComplete(found.variants) ? 'info' : 'not examined',
        says: `The limit of ${method} does not count ${evaded.join(' and ')}. That is right if their handlers are cheap.`,
      }
    }
    return evaded.includes('HEAD') ? finding : { ...finding, level: 'warning' }
  }
  return { ...found, findings: found.findings.map(soften) }
}
