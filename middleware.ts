import { type RoutingMiddleware, rateLimit } from './src/adapters/vercel.ts'
import { processEnv } from './src/environment.ts'
import { policiesFromEnv } from './src/policy/policies-from-env.ts'

let gate: RoutingMiddleware<Request, unknown> | undefined

/**
 * The gate of this repository on Vercel: the policies of the variable POLICIES (JSON text), as in the
 * Worker. They are read at the first request; while they are wrong every request fails, and the log
 * says what is wanted. What may pass goes on to the files or the rewrites of vercel.json.
 */
export default function middleware(request: Request, event: unknown): Promise<Response> {
  gate ??= rateLimit({ policies: policiesFromEnv(processEnv().POLICIES) })
  return gate(request, event)
}

/** Said outright, since for projects made after August 2026 Vercel's builder may choose Node. */
export const config = { runtime: 'edge' }
