import type { ExecutionContext, Hono } from 'hono'
import type { StorePlace } from '../quota.ts'

/** Where an isolate is told its store, and tells what it has logged. */
export const RESTART_PATH = '/restart'
export const LINES_PATH = '/logged'

/**
 * Serves one app. The app is made anew for each store, inside its first request as Workers need it,
 * while the code stays warm.
 */
export function isolate(makeApp: (place: StorePlace) => Hono) {
  const lines = loggedLines()
  let place: StorePlace | undefined
  let app: Hono | undefined

  return async (request: Request, context?: ExecutionContext): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (pathname === LINES_PATH) return Response.json(lines)
    if (pathname === RESTART_PATH) {
      place = await request.json()
      app = undefined
      lines.length = 0
      return new Response()
    }
    if (place === undefined) return new Response('no store yet', { status: 500 })
    app ??= makeApp(place)
    return app.fetch(request, undefined, context)
  }
}

/** Collects what is logged from now on, and keeps it from the console. */
function loggedLines(): string[] {
  const lines: string[] = []
  const log = (...parts: readonly unknown[]) => {
    lines.push(parts.map(String).join(' ').slice(0, 300))
  }
  for (const level of ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const) {
    console[level] = log
  }
  return lines
}
