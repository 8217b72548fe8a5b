import type { Hono } from 'hono'

/** One kind of request: who answers it, and what the code that is counted must do for it. */
export interface Kind {
  readonly name: string
  /** Whose functions count: parts of their modules' URLs. */
  readonly folders: readonly string[]
  readonly app: Hono
  /** How many requests warm the app up, and the time between two of them. */
  readonly warmUp: { readonly requests: number; readonly gapMs: number }
  /** The status of the response to the counted request. */
  readonly status: number
  /** How many requests to the store the counted request causes. */
  readonly trips: number
  /** Requests to the store so far. */
  readonly sent: () => number
}

/** As a host sends it: with an environment, which is empty. */
export const send = async (app: Hono): Promise<number> => {
  const { status } = await app.request('/', { headers: { 'cf-connecting-ip': '203.0.113.7' } }, {})
  return status
}

/** Lets work that goes on after a response come to its end. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
