import type { ExecutionContext, Hono } from 'hono'
import { type Round, runRound } from './round.ts'

/** A Worker that runs rounds of an app, which it makes inside its first request. */
export function worker(makeApp: () => Hono) {
  let app: Hono | undefined
  return {
    async fetch(request: Request, env: object, context: ExecutionContext): Promise<Response> {
      app ??= makeApp()
      const round: Round = await request.json()
      return Response.json(await runRound(app, round, env, context))
    },
  }
}
