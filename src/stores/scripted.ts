import { StoreError, type StoreErrorCode } from '../errors.ts'
import { keyOf, taggedKeyOf } from './key.ts'
import { KEY_LOCKING, PLAIN, type Script } from './script.ts'
import type { Demand, Grant, Store } from './store.ts'

/** What a store needs of a client: to run a script by its hash, or by its text. */
export interface ScriptClient {
  evalsha(sha: string, keys: string[], args: string[], signal?: AbortSignal): Promise<unknown>
  eval(script: string, keys: string[], args: string[], signal?: AbortSignal): Promise<unknown>
}

/** What distinguishes the stores that run the script. */
export interface ScriptedStoreOptions {
  /** How errors call the store. */
  readonly name: string
  readonly prefix: string
  /**
   * Whether the keys of one call must share a slot of a cluster.
   * @default false
   */
  readonly cluster?: boolean
}

/** A store that runs the script through a client, in one trip once the server knows the script. */
export function scriptedStore(client: ScriptClient, options: ScriptedStoreOptions): Store {
  const { name, prefix, cluster = false } = options
  const toKey = cluster ? taggedKeyOf : keyOf
  /** Which script the server takes; nothing until the first answer tells. */
  let known: Script | undefined

  /**
   * The first call of an isolate sends the text with Upstash's header: an Upstash database takes
   * it, so one trip is enough, and any other server rejects it before it runs.
   */
  async function run(keys: string[], args: string[], signal?: AbortSignal): Promise<unknown> {
    if (known === undefined) {
      try {
        const answer = await client.eval(KEY_LOCKING.text, keys, args, signal)
        known = KEY_LOCKING
        return answer
      } catch (error) {
        if (!rejectsHeader(error)) throw error
        known = PLAIN
      }
    }
    const script = known
    try {
      return await client.evalsha(script.sha, keys, args, signal)
    } catch (error) {
      // Never SCRIPT LOAD: with read replicas the next EVALSHA may meet one that has not seen it.
      if (!/\bNOSCRIPT\b/.test(saidBy(error))) throw error
      return client.eval(script.text, keys, args, signal)
    }
  }

  return {
    oneClient: cluster,
    async take(demands, { signal } = {}) {
      if (demands.length === 0) return []
      if (cluster && demands.some(({ client }) => client !== demands[0]?.client)) {
        throw new StoreError('rejected', `${name}: one call cannot count different clients`)
      }
      const keys = demands.map((demand) => toKey(prefix, demand))
      const args = demands.flatMap(({ limit, window, cost, reserve = 0 }) =>
        [limit, window, cost, reserve].map(String),
      )
      try {
        return readGrants(demands, await run(keys, args, signal))
      } catch (error) {
        throw storeError(name, error, signal)
      }
    },
  }
}

function readGrants(demands: readonly Demand[], answer: unknown): readonly Grant[] {
  const numbers = Array.isArray(answer) ? answer.map(Number) : []
  if (numbers.length !== 4 * demands.length || !numbers.every(Number.isInteger)) {
    throw new StoreError('unreachable', 'the answer is not that of the script')
  }
  return demands.map((_, index) => {
    const [granted = 0, used = 0, resetIn = 0, retryIn = 0] = numbers.slice(4 * index)
    return { granted, used, resetIn, retryIn }
  })
}

/**
 * What a client's error says, fit to be shown. Clients quote the command they sent, with its keys,
 * and a URL may hold a token: neither goes on. Node hides the reason of a failed fetch in `cause`.
 */
function saidBy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const reason = cause && 'code' in cause ? ` (${cause.code})` : ''
  return (text + reason)
    .replace(/,? ?(?:command was:|with args beginning with:)[\s\S]*/i, '')
    .replace(/\/\/[^/\s]*@/g, '//')
    .replace(/_token=[^\s&]*/g, '_token=…')
    .slice(0, 200)
}

/**
 * Redis 7: "Unexpected flag in script shebang"; before 7, to which the line is Lua: "Error compiling
 * script". Both say so before anything ran, so the plain script may follow at once.
 */
const rejectsHeader = (error: unknown) => /shebang|compiling script/i.test(saidBy(error))

/** Whatever a client throws, as the one kind of error that a store throws. */
function storeError(name: string, error: unknown, signal: AbortSignal | undefined): StoreError {
  const said = saidBy(error)
  const [code, hint] = signal?.aborted ? (['timeout', ''] as const) : classify(error, said)
  return new StoreError(code, `${name}: ${said}${hint}`, { cause: new Error(said) })
}

function classify(error: unknown, said: string): readonly [StoreErrorCode, string] {
  if (/\bNOPERM\b|can't run this command/.test(said)) {
    return ['unauthorized', ' (a read-only token cannot count: give the one that may write)']
  }
  if (/\b(WRONGPASS|NOAUTH|unauthorized|invalid token)\b/i.test(said)) {
    return ['unauthorized', ' (the token is not one of this database)']
  }
  if (/\b(MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN)\b/.test(said)) {
    return ['rejected', ' (a node of a Redis Cluster: give redis() the client of a cluster)']
  }
  if (/\b(ERR|OOM|MISCONF|READONLY|BUSY|LOADING|WRONGTYPE|MASTERDOWN)\b/.test(said)) {
    return ['rejected', '']
  }
  return [error instanceof StoreError ? error.code : 'unreachable', '']
}
