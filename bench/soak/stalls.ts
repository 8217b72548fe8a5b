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

const INTERVAL_MS = 250

/** Measures, again and again, how late timers of each isolate are. */
export function watchStalls(urls: readonly string[]) {
  const stalls: Stall[] = []
  let isOver = false

  async function watch(url: string, isolate: number): Promise<void> {
    while (!isOver) {
      const from = performance.now()
      const late = Number(await (await fetch(url + CONTROL.stall)).json())
      stalls.push({ isolate, from, to: performance.now(), late })
      await sleep(INTERVAL_MS)
    }
  }
  const watching = Promise.all(urls.map(watch))

  return {
    stalls: stalls as readonly Stall[],
    async stop(): Promise<void> {
      isOver = true
      await watching
    },
  }
}
