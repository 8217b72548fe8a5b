import { setTimeout as sleep } from 'node:timers/promises'

/** Reads the heap of one isolate of workerd. */
export interface HeapGauge {
  /** Bytes in use after a collection: objects of JavaScript, their native parts, and buffers. */
  heapUsed(): Promise<number>
  close(): void
}

/** How long workerd gets to collect. It answers a collection with the next message. */
const COLLECT_MS = 150

interface Usage {
  readonly usedSize: number
  readonly embedderHeapUsedSize: number
  readonly backingStorageSize: number
}

/**
 * Attaches to an isolate by Chrome's DevTools protocol
 * (https://chromedevtools.github.io/devtools-protocol/v8). `Runtime` stays disabled: it would keep
 * every line that is logged.
 */
export async function heapGauge(inspector: URL, worker: string): Promise<HeapGauge> {
  const socket = new WebSocket(new URL(`/core:user:${worker}`, inspector))
  const pending = new Map<number, (result: unknown) => void>()
  let last = 0
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown }
    if (id === undefined) return
    pending.get(id)?.(result)
    pending.delete(id)
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`no inspector for ${worker}`)))
  })

  function ask(method: string): Promise<unknown> {
    const id = ++last
    socket.send(JSON.stringify({ id, method }))
    return new Promise((resolve) => pending.set(id, resolve))
  }

  await ask('HeapProfiler.enable')
  return {
    async heapUsed() {
      const collected = ask('HeapProfiler.collectGarbage')
      await sleep(COLLECT_MS)
      await Promise.all([ask('Runtime.getHeapUsage'), collected])
      const usage = (await ask('Runtime.getHeapUsage')) as Usage
      return usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize
    },
    close: () => socket.close(),
  }
}
