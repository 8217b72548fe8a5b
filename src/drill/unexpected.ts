import type { Answer } from './session.ts'

/** Whether a response is neither the success of the route nor a refusal: it says nothing of a limit. */
export const isUnexpected = ({ isPassed, isRefused }: Answer) => !isPassed && !isRefused

/** `10 × 200, 5 × 429`, in the order of the first of each. */
export function statusesOf(answers: readonly Answer[]): string {
  const counts = new Map<number, number>()
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ')
}

/** What to change if the deployment answers with a status. */
const REMEDIES: Readonly<Record<number, string>> = {
  401: 'Send credentials with --header.',
  403: 'Send credentials with --header. If a firewall or a ban answers, let it admit the drill.',
  404: 'Check the path of the URL.',
  405: 'Name the method of the route with --method.',
}

/** What to do about responses that are unexpected. The first of them decides. */
export function remedyFor(answers: readonly Answer[]): string {
  const unexpected = answers.filter(isUnexpected)
  const status = unexpected[0]?.status ?? 0
  if (unexpected.some(({ body }) => body.includes('temporary-reduced-capacity'))) {
    return 'The store of the limiter is away, and its fallback refuses requests. Run npx tidegate doctor.'
  }
  const hasPassed = answers.some(({ isPassed }) => isPassed)
  const refusal = `If ${status} is the limiter's refusal, let it send 429${status === 503 ? ' (nginx: limit_req_status 429)' : ''}.`
  if (status >= 500) {
    return `Check the log of the deployment. Until it answers, nothing is known about its limit. ${refusal}`
  }
  const remedy = REMEDIES[status] ?? 'Send what the route needs, with --header and --method.'
  return `${remedy} ${hasPassed ? refusal : `If ${status} is what the route answers to an empty request, add --expect ${status}.`}`
}
