/** What goes wrong in an isolate without an answer that shows it. Runs in the Worker. */
export interface Watch {
  /** Reasons of promises that were rejected and not handled. */
  readonly rejections: readonly string[]
  /** Lines that were logged since the isolate started. */
  readonly lines: number
  /** The latest lines. */
  readonly latest: readonly string[]
}

const KEPT = 50

/** Counts from now on what is logged, and keeps it from the console. */
export function startWatch(): () => Watch {
  const rejections: string[] = []
  const latest: string[] = []
  let lines = 0
  addEventListener('unhandledrejection', (event) => {
    if (rejections.length < KEPT) rejections.push(describe(event.reason))
  })
  for (const level of ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const) {
    console[level] = (...parts: readonly unknown[]) => {
      lines++
      latest.push(parts.map(String).join(' ').slice(0, 300))
      if (latest.length > KEPT) latest.shift()
    }
  }
  return () => ({ rejections, lines, latest })
}

const describe = (reason: unknown): string =>
  String(reason instanceof Error ? (reason.stack ?? reason) : reason).slice(0, 1000)
