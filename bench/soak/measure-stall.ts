const TIMER_MS = 10

/** In ms: how late a timer of this isolate is, with no store behind it. Runs in the Worker. */
export async function measureStall(): Promise<number> {
  const start = performance.now()
  await new Promise((resolve) => setTimeout(resolve, TIMER_MS))
  return Math.max(0, performance.now() - start - TIMER_MS)
}
