import type { Answer } from './session.ts'

/** What to change if the deployment answers every request with one of these statuses. */
const REMEDIES: Readonly<Record<number, string>> = {
  401: 'Send credentials with --header. The deployment may check them before it counts.',
  403: 'Send credentials with --header. The deployment may check them before it counts.',
  404: 'Check the path of the URL. The deployment may not count unknown paths.',
  405: 'Name the method of the route with --method. The deployment may not count other methods.',
}

/** A status of 4xx that all answers have, and what to do about it. */
export function commonClientError(
  answers: readonly Answer[],
): { readonly status: number; readonly remedy: string } | undefined {
  const status = answers[0]?.status ?? 0
  const remedy = REMEDIES[status]
  if (remedy === undefined || answers.some((answer) => answer.status !== status)) return undefined
  return { status, remedy }
}
