import type { DrillContext, VariantFindings } from './context.ts'
import { respellingsOf } from './respell.ts'
import type { Variant } from './try-variant.ts'
import { tryVariants } from './variant-findings.ts'

/** Whether a client gets a fresh quota by another spelling of the path. */
export function checkSpelling(context: DrillContext): Promise<VariantFindings> {
  const { pathname, search } = context.settings.url
  const respelled = [...respellingsOf(pathname)].map(
    ([name, respell]): Variant => ({
      name,
      at: (attempt) => ({ path: respell(pathname, attempt) + search }),
    }),
  )
  const query: Variant = {
    name: 'query',
    at: (attempt) => ({ path: `${pathname}${search || '?'}${search && '&'}drill=${attempt}` }),
  }
  return tryVariants(
    {
      check: 'spelling',
      kind: 'spellings of the path',
      remedy:
        'Match the path as your router reads it (unescaped, without empty segments, dots and parameters), and leave it out of the key. The option match of Tidegate does so.',
    },
    [...respelled, query],
    context,
  )
}
