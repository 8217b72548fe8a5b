import type { ExecutionContext, Hono } from 'hono'
import { address } from '../measure/address.ts'
import { CLIENT } from './quota.ts'

/** Whether every request of a round has a client of its own, or all have one. */
export type Mode = 'many' | 'one'

export interface Round {
  readonly mode: Mode
  readonly requests: number
  /** The number of the first client, so that rounds may have clients of their own. */
  readonly first: number
  /** Whether to look at what was answered, and not at the time. */
  readonly look: boolean
  /**
   * Whether to measure the time of the processor, in Node. Other programs change it less.
   * @default false: the time that passes
   */
  readonly cpu?: boolean
}

/** What a round found: the time, or the fields of each response. */
export interface RoundResult {
  readonly ms: number
  readonly fields: readonly Readonly<Record<string, string>>[]
}

/**
 * Sends requests through an app as its host does, one after the other, and nothing else within the
 * time.
 */
export async function runRound(
  app: Hono,
  { mode, requests, first, look }: Round,
  env?: object,
  context?: ExecutionContext,
  now = () => performance.now(),
): Promise<RoundResult> {
  const sent = requestsOf(mode, requests, first)
  const fields: Record<string, string>[] = []
  const start = now()
  if (look) {
    for (const request of sent) fields.push(fieldsOf(await app.fetch(request, env, context)))
  } else {
    for (const request of sent) {
      const { status } = await app.fetch(request, env, context)
      if (status !== 200) throw new Error(`it answered ${status}`)
    }
  }
  return { ms: now() - start, fields }
}

/** Built before the time runs: who calls an app has built its request already. */
function requestsOf(mode: Mode, count: number, first: number): readonly Request[] {
  const request = (index: number) =>
    new Request('http://localhost/', { headers: { [CLIENT]: address(index) } })
  if (mode === 'many') return Array.from({ length: count }, (_, index) => request(first + index))
  return Array.from<Request>({ length: count }).fill(request(first))
}

function fieldsOf({ status, headers }: Response): Record<string, string> {
  const sent = [...headers].filter(([name]) => name.startsWith('ratelimit'))
  return { status: `${status}`, ...Object.fromEntries(sent) }
}
