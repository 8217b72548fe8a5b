import { Session } from 'node:inspector'

/** Stands for the network here, and never runs in a request of the library. */
const SIMULATION = '/src/simulation/'

/** Calls of functions in some folders. */
export interface Calls {
  /** How many functions were called, closures included. */
  readonly functions: number
  /** How often they were called. An async function counts again when it continues after `await`. */
  readonly calls: number
  /** How many files the functions are in. */
  readonly files: number
  /** Calls by the name of the function. */
  readonly byName: ReadonlyMap<string, number>
}

export interface Counter {
  /** Returns the calls since the last `take`, in modules whose URL contains one of `folders`. */
  take(folders: readonly string[]): Calls
}

/**
 * Counts calls by V8's precise coverage
 * (https://chromedevtools.github.io/devtools-protocol/v8/Profiler/). Start the counter before the
 * modules are imported.
 */
export function startCounter(): Counter {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  // With `detailed`, V8 does not count an async function again when it continues.
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

  return {
    take(folders) {
      const byName = new Map<string, number>()
      const files = new Set<string>()
      let functions = 0
      let calls = 0
      // The callback runs before `post` returns.
      session.post('Profiler.takePreciseCoverage', (error, { result }) => {
        if (error) throw error
        for (const { url, functions: called } of result) {
          if (!folders.some((folder) => url.includes(folder)) || url.includes(SIMULATION)) continue
          for (const { functionName, ranges } of called) {
            const count = ranges[0]?.count ?? 0
            if (count === 0) continue
            functions++
            calls += count
            files.add(url)
            byName.set(functionName, (byName.get(functionName) ?? 0) + count)
          }
        }
      })
      return { functions, calls, files: files.size, byName }
    },
  }
}
