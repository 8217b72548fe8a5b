import type { Timer } from '../../../src/clock.ts'
import { batched } from '../../../src/stores/redis-protocol/batch.ts'
import type { RedisCommands } from '../../../src/stores/redis-protocol/redis-commands.ts'
import {
  restClient,
  restPipeline,
  restSender,
  resultOf,
  type Send,
} from '../../../src/stores/redis-protocol/rest.ts'
import type { TakeOptions } from '../../../src/stores/store.ts'
import type { Line, Outgoing } from './line.ts'
import type { Ask } from './watcher.ts'

/** How an isolate reaches the server: over TCP, over HTTP, or over HTTP in batches. */
export type Face = 'tcp' | 'rest' | 'batch'

/** In ms: how long the first command of a batch waits for others. */
const BATCH_WAIT = 2

/**
 * The commands of a store.
 *
 * @param current the request in whose name the code runs that calls it
 */
export function clientOf(
  face: Face,
  line: Line,
  current: () => Ask | undefined,
  timer: Timer,
): RedisCommands {
  return face === 'tcp' ? tcpClient(line, current) : httpClient(face, line, current, timer)
}

function tcpClient(line: Line, current: () => Ask | undefined): RedisCommands {
  async function send(words: readonly string[], options: TakeOptions | undefined) {
    options?.signal?.throwIfAborted()
    const [reply] =
      (await line.call([line.prepare(words, current(), options?.signal)], options?.signal)) ?? []
    return reply ? resultOf(reply) : 'garbage'
  }
  return restClient(send)
}

function httpClient(
  face: Face,
  line: Line,
  current: () => Ask | undefined,
  timer: Timer,
): RedisCommands {
  /** A batch is sent in the name of its first request; its commands are those of several. */
  const prepared = new WeakMap<readonly string[], Outgoing>()
  let batch: readonly Outgoing[] = []

  const prepare = (words: readonly string[], signal?: AbortSignal): Outgoing => {
    const outgoing = prepared.get(words) ?? line.prepare(words, current(), signal)
    prepared.set(words, outgoing)
    return outgoing
  }

  const fetcher: typeof fetch = async (url, init) => {
    const isPipeline = String(url).endsWith('/pipeline')
    const outgoing = batch
    const replies = await line.call(outgoing, init?.signal ?? undefined)
    if (replies === undefined) return new Response('<html>Bad gateway</html>')
    const [first] = replies
    if (isPipeline) return Response.json(replies)
    return Response.json(first, { status: first && 'error' in first ? 400 : 200 })
  }

  const url = 'https://model.invalid'
  const sendAlone = restSender(url, 'token', fetcher)
  const alone: Send = async (words, options) => {
    options?.signal?.throwIfAborted()
    batch = [prepare(words, options?.signal)]
    return sendAlone(words, options)
  }
  if (face === 'rest') return restClient(alone)
  const pipeline = restPipeline(url, 'token', fetcher)
  const send = batched(
    alone,
    (commands, signal) => {
      batch = commands.map((words) => prepare(words))
      return pipeline(commands, signal)
    },
    BATCH_WAIT,
    timer,
  )
  return restClient(async (words, options) => {
    options?.signal?.throwIfAborted()
    prepare(words, options?.signal)
    return send(words, options)
  })
}
