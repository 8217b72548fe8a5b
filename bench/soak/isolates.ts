import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { bundle } from '../../scripts/workerd.ts'
import { premise } from '../measure/premise.ts'
import { type HeapGauge, heapGauge } from './inspector.ts'
import type { ObjectFault } from './objects.ts'
import { CONTROL } from './paths.ts'
import type { Watch } from './watch.ts'

/** Where an isolate finds its store. */
export interface StorePlace {
  readonly url: string
  readonly token: string
}

/** Workers of one workerd, each an isolate with a port of its own. */
export interface Isolates {
  readonly urls: readonly string[]
  /** Of each isolate, in bytes, after a collection. */
  heaps(): Promise<readonly number[]>
  /** Resident memory of the process, in bytes. */
  rss(): number
  /** Open sockets of the process, of all kinds. */
  sockets(): number
  watches(): Promise<readonly Watch[]>
  /** Lines that workerd itself has written, and how often each. */
  readonly runtimeLines: Readonly<Record<string, number>>
  setObjectFault(fault: ObjectFault): Promise<void>
  /** Makes each isolate remember as many keys of the REST store as it ever does. */
  fill(keys: number): Promise<void>
  stop(): Promise<void>
}

/** The newest date for which workerd does not switch Node's APIs on by itself. */
const COMPATIBILITY_DATE = '2026-08-01'
const FILLED_AT_ONCE = 250
const KEPT_LINES = 10
const MOST_LETTERS = 200

export async function startIsolates(places: readonly StorePlace[]): Promise<Isolates> {
  const contents = await bundle({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    minify: true,
  })
  const names = places.map((_, index) => `isolate-${index}`)
  const runtimeLines: Record<string, number> = {}
  const server = new Miniflare({
    host: '127.0.0.1',
    inspectorPort: 0,
    handleStructuredLogs: ({ message }: { readonly message: string }) => {
      const line = message.slice(0, MOST_LETTERS)
      const isKnown = runtimeLines[line] !== undefined
      const kept = isKnown || Object.keys(runtimeLines).length < KEPT_LINES ? line : 'others'
      runtimeLines[kept] = (runtimeLines[kept] ?? 0) + 1
    },
    workers: places.map(({ url, token }, index) => ({
      config: {
        name: `isolate-${index}`,
        compatibilityDate: COMPATIBILITY_DATE,
        env: {
          URL: { type: 'text' as const, value: url },
          TOKEN: { type: 'text' as const, value: token },
          TIDEGATE: {
            type: 'durable-object' as const,
            worker: 'isolate-0',
            exportName: 'TidegateObject',
          },
        },
        exports:
          index === 0
            ? { TidegateObject: { type: 'durable-object' as const, storage: 'sqlite' as const } }
            : {},
        manifest: {
          mainModule: 'worker.js',
          modules: { 'worker.js': { type: 'esm' as const, contents } },
        },
      },
      dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
    })),
  })
  await server.ready
  const urls = (await Promise.all(names.map((name) => server.unsafeGetDirectURL(name)))).map(
    ({ origin }) => origin,
  )
  const inspector = await server.getInspectorURL()
  const gauges: readonly HeapGauge[] = await Promise.all(
    names.map((name) => heapGauge(inspector, name)),
  )
  const pid = workerdOf(process.pid)

  const watches = () =>
    Promise.all(urls.map(async (url): Promise<Watch> => (await fetch(url + CONTROL.watch)).json()))

  return {
    urls,
    runtimeLines,
    watches,
    heaps: () => Promise.all(gauges.map((gauge) => gauge.heapUsed())),
    rss: () =>
      1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    sockets: () => socketsOf(pid),
    async setObjectFault(fault) {
      const body = JSON.stringify(fault)
      await Promise.all(urls.map((url) => fetch(url + CONTROL.objects, { method: 'POST', body })))
    },
    async fill(keys) {
      for (const url of urls) {
        for (let from = 0; from < keys; from += FILLED_AT_ONCE) {
          const body = JSON.stringify([from, FILLED_AT_ONCE])
          const answer = await fetch(url + CONTROL.fill, { method: 'POST', body })
          const counted = await answer.json()
          premise(counted === FILLED_AT_ONCE, 'the store counts before faults begin', counted)
        }
      }
    },
    async stop() {
      for (const gauge of gauges) gauge.close()
      await server.dispose()
    },
  }
}

/** The workerd among the children of a process. */
function workerdOf(parent: number): number {
  const lines = execFileSync('ps', ['--ppid', `${parent}`, '-o', 'pid=,comm='], {
    encoding: 'utf8',
  })
  const pid = Number(/(\d+) workerd/.exec(lines)?.[1])
  premise(Number.isInteger(pid), 'workerd is a child of this process', lines)
  return pid
}

function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((name) => isSocket(`${folder}/${name}`)).length
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:')
  } catch {
    // It was closed meanwhile.
    return false
  }
}
