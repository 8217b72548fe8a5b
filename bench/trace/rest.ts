import { redisModel } from '../../src/simulation/redis-model.ts'

/** A `fetch` that answers as Upstash's REST API does, from a model of Redis in this process. */
export function restModel(now: () => number) {
  const { client } = redisModel(now)
  let requests = 0

  async function run([name = '', first = '', second, ...rest]: readonly string[]) {
    if (name.toUpperCase() === 'INCRBY') return client.incrby(first, Number(second))
    const keys = Number(second)
    return client.eval(first, rest.slice(0, keys), rest.slice(keys))
  }

  const fetch: typeof globalThis.fetch = async (_, init) => {
    requests++
    const command: readonly unknown[] = JSON.parse(String(init?.body))
    return Response.json({ result: await run(command.map(String)) })
  }
  return { fetch, requests: () => requests }
}
