import type { DrillContext, VariantFindings } from './context.ts'
import type { Variant } from './try-variant.ts'
import { tryVariants } from './variant-findings.ts'

/** Rewrites a path. `attempt` makes a further spelling of the same kind. */
type Respell = (path: string, attempt: number) => string

/** The last of the segments, and what is before it. */
const split = (path: string): readonly [before: string, last: string] => {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  const slash = path.lastIndexOf('/', end - 1)
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash)]
}

const SPELLINGS: Readonly<Record<string, Respell>> = {
  '//': (path, attempt) => {
    const [before, last] = split(path)
    return `${before}/${'/'.repeat(attempt)}${last}`
  },
  'trailing slash': (path, attempt) => {
    if (path === '/') return path
    return path.endsWith('/') ? path.slice(0, -1) : `${path}/${'/'.repeat(attempt)}`
  },
  '%2e': (path, attempt) => {
    const [before, last] = split(path)
    return `${before}${'/%2e'.repeat(attempt + 1)}${last}`
  },
  'escaped letter': (path, attempt) => replaceLetter(path, attempt, escapeLetter),
  case: (path, attempt) => replaceLetter(path, attempt, swapCase),
  ';x': (path, attempt) => `${path};x${attempt || ''}`,
}

const escapeLetter = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`
const swapCase = (letter: string) =>
  letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()

/** Replaces the letter at a place from the end. An escape stays as it is. */
function replaceLetter(path: string, place: number, replace: (letter: string) => string): string {
  const letters = [...path.matchAll(/%[\da-f]{2}|[a-z]/gi)].filter(([text]) => text.length === 1)
  const found = letters.at(-1 - (place % Math.max(letters.length, 1)))
  if (found === undefined) return path
  return path.slice(0, found.index) + replace(found[0]) + path.slice(found.index + 1)
}

/** Whether a client gets a fresh quota by another spelling of the path. */
export function checkSpelling(context: DrillContext): Promise<VariantFindings> {
  const { pathname, search } = context.settings.url
  const respelled = Object.entries(SPELLINGS).filter(
    ([, respell]) => respell(pathname, 0) !== pathname,
  )
  const variants: Variant[] = respelled.map(([name, respell]) => ({
    name,
    at: (attempt) => ({ path: respell(pathname, attempt) + search }),
  }))
  const query: Variant = {
    name: 'query',
    at: (attempt) => ({ path: `${pathname}${search || '?'}${search && '&'}drill=${attempt}` }),
  }
  return tryVariants(
    {
      check: 'spelling',
      kind: 'spellings of the path',
      remedy:
        'Match the path as your router reads it (unescaped, without empty segments and parameters), and leave it out of the key. The option match of Tidegate does so.',
    },
    [...variants, query],
    context,
  )
}
