import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Servers } from './fleet.ts'

/** Each isolate is a thread of this process, with an event loop and a heap of its own. */
export async function nodeServers(app: string, isolates: number): Promise<Servers> {
  const file = new URL('node-isolate.ts', import.meta.url)
  const threads = Array.from({ length: isolates }, () => new Worker(file, { workerData: app }))
  const started = threads.map((thread) => once(thread, 'message'))
  const urls = (await Promise.all(started)).map(([url]) => String(url))
  // A thread that breaks answers nothing from then on, which is what visitors would see.
  for (const thread of threads) thread.on('error', (error) => console.error(`${app} broke:`, error))
  return {
    urls,
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}
