import { redisModel } from '../../src/simulation/redis-model.ts'
import { TAKE } from '../../src/stores/redis-protocol/script.ts'
import { manualClock } from '../../src/testing/index.ts'

export interface RestModelOptions {
  /** The error of a server that does not know Upstash's header. */
  readonly rejects?: string | undefined
  /** The error of a server that has not seen a script's hash. */
  readonly unknownHash?: string | undefined
  /** The error of every script. */
  readonly fails?: string | undefined
}

/**
 * A server that speaks Upstash's REST protocol, with a model of Redis behind it: a `fetch` to it.
 */
export function restModel({ rejects, unknownHash, fails }: RestModelOptions = {}) {
  const { client, life } = redisModel(manualClock())
  const commands: string[][] = []
  const loaded = new Set<string>()

  async function run([name = '', script = '', count, ...rest]: readonly string[]) {
    if (name === 'INCRBY') return { result: await client.incrby(script, Number(count)) }
    if (fails !== undefined) return { error: fails }
    if (name === 'EVAL' && script === TAKE.locking.text && rejects !== undefined) {
      return { error: rejects }
    }
    if (name === 'EVALSHA' && !loaded.has(script)) return { error: unknownHash ?? 'NOSCRIPT' }
    loaded.add(
      script === TAKE.locking.text
        ? TAKE.locking.sha
        : script === TAKE.plain.text
          ? TAKE.plain.sha
          : script,
    )
    return {
      result: await client.eval(script, rest.slice(0, Number(count)), rest.slice(Number(count))),
    }
  }

  const fetch: typeof globalThis.fetch = async (_, init) => {
    const command = (JSON.parse(String(init?.body)) as unknown[]).map(String)
    const [name = '', ...words] = command
    const upper = [name.toUpperCase(), ...words]
    commands.push(upper)
    const answer = await run(upper)
    return Response.json(answer, { status: 'error' in answer ? 400 : 200 })
  }
  return {
    fetch,
    life,
    /** Forgets the scripts, as a restart or SCRIPT FLUSH does. */
    forget: () => loaded.clear(),
    /** The names of the commands so far, and for scripts also their form. */
    asked: () => commands.map(([name = '', script = '']) => [name, ...formOf(script)].join(' ')),
  }
}

function formOf(script: string): string[] {
  if (script === TAKE.locking.text || script === TAKE.locking.sha) return ['locking']
  return script === TAKE.plain.text || script === TAKE.plain.sha ? ['plain'] : []
}
