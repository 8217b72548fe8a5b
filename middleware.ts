import { type RoutingMiddleware, rateLimit } from './src/adapters/vercel.ts'
import { processEnv } from './src/environment.ts'
import { policiesFromEnv } from './src/policy/policies-from-env.ts'

let gate: RoutingMiddleware<Request, unknown> | undefined

/**
 * The gate of this repository on Vercel, with the policies of the variable POLICIES (JSON text) as in
 * the Worker. Reads them at the first request. While they are wrong, every request fails, and the log
 * says what was expected. Allowed requests continue to the files or the rewrites of vercel.json.
 */
export default function middleware(request: Request, event: unknown): Promise<Response> {
  gate ??= rateLimit({ policies: policiesFromEnv(processEnv().POLICIES) })
  return gate(request, event)
}

/** Set explicitly: for projects created after August 2026, Vercel's builder may choose Node. */
export const config = { runtime: 'edge' }
