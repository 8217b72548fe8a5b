/** A problem of RFC 9457. Without `type` it has the meaning of its status. */
export interface Problem {
  readonly type?: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly 'violated-policies'?: readonly string[]
}

/**
 * Returns a problem as a response that no cache may keep (RFC 6585 §4). Without a body for HEAD.
 */
export function problem(problem: Problem, request?: Request): Response {
  return new Response(request?.method === 'HEAD' ? null : JSON.stringify(problem), {
    status: problem.status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' },
  })
}
