import type { StoreEvent } from '../../../../src/index.ts'
import { createLimiter, type PolicyOptions } from '../../../../src/index.ts'
import type { Decision } from '../../../../src/limiter/decision.ts'
import type { Fault } from '../fault.ts'
import { seenStore } from '../seen-store.ts'
import type { Rule } from '../watcher.ts'
import type { Account } from './account.ts'
import type { Backend } from './backend.ts'
import { proxyFault } from './proxy-fault.ts'

export interface RealIsolateOptions {
  readonly lease: boolean
  readonly breaker: boolean
  /** In ms: how long a check may wait for the store. */
  readonly timeout: number
}

/** An isolate with a limiter of its own over a real server. */
export interface RealIsolate {
  check(client: string, rules: readonly Rule[]): Promise<Decision>
  set(fault: Fault): Promise<void>
  stop(): Promise<void>
}

export async function startRealIsolate(
  id: number,
  backend: Backend,
  rules: readonly Rule[],
  { lease, breaker, timeout }: RealIsolateOptions,
  account: Account,
  onEvent: (type: StoreEvent['type']) => void,
): Promise<RealIsolate> {
  const { store, proxy } = await backend.connect()
  const about = new WeakMap<Request, { client: string; rules: readonly Rule[] }>()
  const clientName = (request: Request) => ({ plain: about.get(request)?.client ?? '' })
  let isRunning = true
  const seen = seenStore(store, Math.random, (demands) => ({
    failed() {},
    granted(grants) {
      if (isRunning) account.granted(id, demands, grants)
    },
  }))
  const limiter = createLimiter({
    policies: rules.map(
      (rule): PolicyOptions => ({
        name: rule.name,
        limit: rule.limit,
        window: rule.window,
        fallback: rule.fallback,
        lease,
        client: clientName,
        match: (request) => about.get(request)?.rules.includes(rule) ?? false,
      }),
    ),
    store: seen,
    timeout,
    breaker,
    // Isolates of one process that share a clock would share what they know.
    clock: () => Date.now(),
    onStoreEvent: ({ type }) => {
      if (isRunning) onEvent(type)
    },
  })
  return {
    check(client, asked) {
      const request = new Request('https://example.com/')
      about.set(request, { client, rules: asked })
      return limiter.check(request)
    },
    set: (fault) => proxy.set(proxyFault(fault, backend.protocol)),
    async stop() {
      isRunning = false
      await proxy.close()
    },
  }
}
