import type { Contestant, Runtime } from '../contestants.ts'
import type { StorePlace } from '../quota.ts'
import { LINES_PATH, RESTART_PATH } from './isolate.ts'
import { nodeServers } from './node-servers.ts'
import { workerdServers } from './workerd-servers.ts'

export interface Servers {
  /** The address of each isolate. */
  readonly urls: readonly string[]
  stop(): Promise<void>
}

/** Isolates that run the same app. */
export interface Fleet extends Servers {
  readonly contestant: Contestant
  /** Makes the app of each isolate anew, over a store of its own place. */
  restart(places: readonly StorePlace[]): Promise<void>
  /** The lines that each isolate has logged since then. */
  lines(): Promise<readonly (readonly string[])[]>
}

export async function startFleet(
  runtime: Runtime,
  contestant: Contestant,
  isolates: number,
): Promise<Fleet> {
  const start = runtime === 'node' ? nodeServers : workerdServers
  const { urls, stop } = await start(contestant.app, isolates)
  return {
    contestant,
    urls,
    stop,
    async restart(places) {
      const told = urls.map((url, index) =>
        fetch(url + RESTART_PATH, { method: 'POST', body: JSON.stringify(places[index]) }),
      )
      await Promise.all(told)
    },
    lines: () => Promise.all(urls.map(async (url) => (await fetch(url + LINES_PATH)).json())),
  }
}
