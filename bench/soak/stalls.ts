import { setTimeout as sleep } from 'node:timers/promises'
import { CONTROL } from './paths.ts'

/** How late a bare timer of an isolate was. Times are those of `performance.now()` in this process. */
export interface Stall {
  readonly isolate: number
  readonly from: number
  readonly to: number
  /** In ms. */
  readonly late: number
}

const INTERVAL_MS = 100

/**
 * Measures how late timers of each isolate are, again and again, whether earlier measurements have
 * ended or not: a busy isolate is measured as often as an idle one.
 */
export function watchStalls(urls: readonly string[]) {
  const stalls: Stall[] = []
  const underWay = new Set<Promise<void>>()
  let isOver = false

  async function measure(url: string, isolate: number): Promise<void> {
    const from = performance.now()
    const late = Number(await (await fetch(url + CONTROL.stall)).json())
    stalls.push({ isolate, from, to: performance.now(), late })
  }

  async function watch(): Promise<void> {
    for (; !isOver; await sleep(INTERVAL_MS)) {
      for (const [isolate, url] of urls.entries()) {
        const measured = measure(url, isolate).finally(() => underWay.delete(measured))
        underWay.add(measured)
      }
    }
  }
  const watching = watch()

  return {
    stalls: stalls as readonly Stall[],
    async stop(): Promise<void> {
      isOver = true
      await watching
      await Promise.all(underWay)
    },
  }
}
