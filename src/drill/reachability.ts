import { isRedirect } from './burst.ts'
import type { DrillContext } from './context.ts'
import type { Settings } from './options.ts'
import type { Finding } from './report.ts'
import { redact } from './secrets.ts'
import { isUnexpected, remedyFor, statusesOf } from './unexpected.ts'

/** Whether each answer is the success of the route, or a refusal: no redirect, no error, no ban. */
export function checkReachability({
  burst: { answers },
  settings,
}: Pick<DrillContext, 'burst' | 'settings'>): Finding {
  const check = 'reachability'
  const [first] = answers
  if (first !== undefined && isRedirect(first)) {
    const target = locationOf(first.headers, settings)
    return {
      check,
      level: 'failure',
      says: `The URL redirects (${first.status})${target && ` to ${target}`}. Redirects are not followed.`,
      remedy: 'Drill the URL that answers requests, and not one that redirects.',
    }
  }
  const unexpected = answers.filter(isUnexpected)
  if (unexpected.length === 0) return { check, level: 'ok', says: 'The deployment answers.' }
  return {
    check,
    level: 'warning',
    says: `${unexpected.length} of ${answers.length} responses are neither a success nor a refusal (${statusesOf(unexpected)}).`,
    remedy: remedyFor(answers),
  }
}

/**
 * The target of a redirect without its query, which may hold a token. The text of the server is
 * searched for secrets, since a parsed URL has its host in lower case.
 */
function locationOf(headers: Headers, { url, secrets }: Settings): string {
  const location = headers.get('location')
  if (location === null || !URL.canParse(location, url)) return ''
  const written = location.replace(/[?#].*/s, '')
  if (redact(written, secrets) !== written) return 'a URL with a secret'
  const { origin, pathname } = new URL(location, url)
  return `${origin}${pathname}`.slice(0, 120)
}
