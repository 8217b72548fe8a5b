import { isRedirect } from './burst.ts'
import { commonClientError } from './client-errors.ts'
import type { DrillContext } from './context.ts'
import type { Finding } from './report.ts'

/** Whether the answers come from the handler of the URL: no redirect, no error of the server. */
export function checkReachability({
  burst,
  settings,
}: Pick<DrillContext, 'burst' | 'settings'>): Finding {
  const check = 'reachability'
  const [first] = burst.answers
  if (first !== undefined && isRedirect(first)) {
    const target = locationOf(first.headers, settings.url)
    return {
      check,
      level: 'failure',
      says: `The URL redirects (${first.status})${target && ` to ${target}`}. Redirects are not followed, and nothing else was checked.`,
      remedy: 'Drill the URL that answers requests, and not one that redirects.',
    }
  }
  const error = commonClientError(burst.answers)
  if (error !== undefined) {
    return {
      check,
      level: 'warning',
      says: `The deployment answers all requests with ${error.status}.`,
      remedy: error.remedy,
    }
  }
  const failed = burst.answers.filter(({ status }) => status >= 500)
  if (failed.length > 0) {
    const reduced = failed.some(({ body }) => body.includes('temporary-reduced-capacity'))
    return {
      check,
      level: 'warning',
      says: `${failed.length} of ${burst.answers.length} responses have a status of 5xx (${failed[0]?.status}).`,
      remedy: reduced
        ? 'The store of the limiter is away, and its fallback refuses requests. Run npx tidegate doctor.'
        : 'Check the log of the deployment. Until it answers, the other checks mean little.',
    }
  }
  return { check, level: 'ok', says: 'The deployment answers.' }
}

/** The target of a redirect without its query, which may hold a token. */
function locationOf(headers: Headers, base: URL): string {
  const location = headers.get('location')
  if (location === null || !URL.canParse(location, base)) return ''
  const { origin, pathname } = new URL(location, base)
  return `${origin}${pathname}`.slice(0, 120)
}
