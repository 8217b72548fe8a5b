import { bundle, NAME, startWorker } from '../../scripts/workerd.ts'
import { type CountedKey, type Store, StoreError } from '../../src/index.ts'
import type { DurableObjectOptions } from '../../src/stores/durable-object.ts'
import type { Answer, Call, Rows } from './durable-object-worker.ts'

/** Bindings of the test's Worker, and the class of each. */
const OBJECTS = {
  TIDEGATE: 'TidegateObject',
  CLOCKED: 'ClockedObject',
  TIDY: 'TidyObject',
  BROKEN: 'BrokenObject',
  METERED: 'MeteredObject',
} as const

type Binding = keyof typeof OBJECTS

const script = await bundle({ entryPoints: ['tests/support/durable-object-worker.ts'] })

/**
 * Durable Objects in a real workerd, with access to their storage. `state` outlives the workerd.
 */
export async function startObjects(state?: string) {
  const worker = await startWorker({
    script,
    objects: OBJECTS,
    inspect: true,
    ...(state && { state }),
  })
  const post = async (path: string, body: unknown, base: string | URL = worker.url) => {
    const response = await fetch(new URL(path, base), {
      method: 'POST',
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(await response.text())
    return response
  }

  /**
   * A store in the Worker, called from here.
   *
   * @param base where to reach the Worker, such as through a proxy
   */
  function storeOf(binding: Binding, options?: DurableObjectOptions, base?: string | URL): Store {
    async function call(method: Call['method'], items: readonly CountedKey[]): Promise<never> {
      const body: Call = { binding, options, method, items }
      const { result, error } = (await (await post('/call', body, base)).json()) as Answer
      if (error === undefined) return result as never
      const { code, message, stack, cause } = error
      throw Object.assign(new StoreError(code, message, { cause: new Error(cause) }), { stack })
    }
    return {
      oneClient: true,
      take: (demands) => call('take', demands),
      settle: (settlements) => call('settle', settlements),
      reset: (keys) => call('reset', keys),
    }
  }

  const idsOf = async (binding: Binding) =>
    (await worker.server.listDurableObjectIds(binding)).map((id) => ({ id }))

  /** Evicts the objects of these names, or all. */
  async function evict(binding: Binding, ...names: readonly string[]): Promise<void> {
    const evicted = names.length > 0 ? names.map((name) => ({ name })) : await idsOf(binding)
    for (const object of evicted) {
      try {
        await worker.server.unsafeEvictDurableObject(NAME, OBJECTS[binding], object)
      } catch (error) {
        if (!/not currently running/.test(String(error))) throw error
      }
    }
  }

  /** Runs a query in every object that has a table. */
  async function query(binding: Binding, text: string) {
    const rows: unknown[] = []
    for (const object of await idsOf(binding)) {
      const { exec } = await worker.server.unsafeGetDurableObjectStorage(
        NAME,
        OBJECTS[binding],
        object,
      )
      try {
        rows.push(...(await exec(text)))
      } catch (error) {
        // The table may be swept between a check for it and the query.
        if (!/no such table: windows/.test(String(error))) throw error
      }
    }
    return rows
  }

  return {
    url: worker.url,
    storeOf,
    evict,
    query,
    /** Moves the clock of `CLOCKED`. */
    elapse: async (ms: number) => void (await post('/elapse', ms)),
    rowsOf: async (client: string) => (await post('/rows', client)).json() as Promise<Rows>,
    stop: worker.stop,
  }
}
