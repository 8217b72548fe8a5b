/** A Worker that calls Durable Objects for the tests; `durable-object.ts` calls this Worker. */
import {
  type DurableObjectOptions,
  durableObject,
  type ObjectNamespace,
  TidegateObject,
} from '../../src/durable-object.ts'
import type { CountedKey } from '../../src/index.ts'
import { StoreError, type StoreErrorCode } from '../../src/index.ts'

export { TidegateObject }

export interface Call {
  readonly binding: string
  readonly options?: DurableObjectOptions | undefined
  readonly method: 'take' | 'settle' | 'reset'
  /** Demands, settlements or keys. */
  readonly items: readonly CountedKey[]
}

export interface Answer {
  readonly result?: unknown
  readonly error?: {
    readonly code: StoreErrorCode
    readonly message: string
    readonly cause: string
    readonly stack: string
  }
}

/** What the objects' storage did, as workerd counts it. */
export interface Rows {
  readonly read: number
  readonly written: number
  readonly alarms: number
}

/** The clock of `ClockedObject`, which stands still unless a test moves it. */
let time = 1_800_000_000_000

/** All of the class but the clock. Its objects and this Worker are one isolate. */
export class ClockedObject extends TidegateObject {
  protected override now(): number {
    return time
  }
}

/** Sweeps as soon as windows end. */
export class TidyObject extends TidegateObject {
  protected override lingering(): number {
    return 0
  }
}

/** An object whose constructor throws. */
export class BrokenObject extends TidegateObject {
  constructor(...args: ConstructorParameters<typeof TidegateObject>) {
    super(...args)
    throw new Error('no start')
  }
}

interface Cursor {
  toArray(): never[]
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** Counts rows. */
export class MeteredObject extends TidegateObject {
  #rows: Rows = { read: 0, written: 0, alarms: 0 }

  constructor(...args: ConstructorParameters<typeof TidegateObject>) {
    super(...args)
    const { storage } = this.ctx
    const exec = (query: string, ...values: (string | number)[]) => {
      const cursor = storage.sql.exec(query, ...values) as Cursor
      const rows = cursor.toArray()
      const { read, written } = this.#rows
      const more = { read: read + cursor.rowsRead, written: written + cursor.rowsWritten }
      this.#rows = { ...this.#rows, ...more }
      return { toArray: () => rows }
    }
    const metered: typeof storage = {
      sql: { exec },
      transactionSync: (body) => storage.transactionSync(body),
      getAlarm: () => storage.getAlarm(),
      setAlarm: (at) => {
        this.#rows = { ...this.#rows, alarms: this.#rows.alarms + 1 }
        return storage.setAlarm(at)
      },
      deleteAll: () => storage.deleteAll(),
    }
    Object.defineProperty(this, 'ctx', { value: { storage: metered } })
  }

  /** Returns the rows since the previous call. */
  rows(): Rows {
    const rows = this.#rows
    this.#rows = { read: 0, written: 0, alarms: 0 }
    return rows
  }
}

async function call({ binding, options, method, items }: Call, env: Env): Promise<Answer> {
  try {
    const store = durableObject(namespaceOf(env, binding), options)
    return { result: await store[method]?.(items as never) }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    const { code, message, cause, stack = '' } = error
    return { error: { code, message, cause: JSON.stringify([String(cause), cause]), stack } }
  }
}

type Env = Readonly<Record<string, ObjectNamespace>>

function namespaceOf(env: Env, binding: string): ObjectNamespace {
  const namespace = env[binding]
  if (namespace === undefined) throw new Error(`no binding ${binding}`)
  return namespace
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case '/call':
        return Response.json(await call(await request.json(), env))
      case '/elapse':
        time += await request.json()
        return new Response()
      case '/rows': {
        const namespace = namespaceOf(env, 'METERED')
        const stub = namespace.get(namespace.idFromName(await request.json())) as MeteredObject
        return Response.json(await stub.rows())
      }
      default:
        return new Response(null, { status: 404 })
    }
  },
}
