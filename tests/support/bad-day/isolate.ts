import { AsyncLocalStorage } from 'node:async_hooks'
import type { StoreEvent } from '../../../src/index.ts'
import { createLimiter, type PolicyOptions } from '../../../src/index.ts'
import type { Decision } from '../../../src/limiter/decision.ts'
import { clusterStore } from '../../../src/stores/redis-protocol/cluster-store.ts'
import { redisStore } from '../../../src/stores/redis-protocol/redis-store.ts'
import { clientOf, type Face } from './client.ts'
import { type Line, line } from './line.ts'
import { seenStore } from './seen-store.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { Ask, Rule, Scene, Watcher } from './watcher.ts'

/**
 * Where an isolate runs: on a server, which keeps running after a response; or at an edge whose
 * `waitUntil` keeps work alive, or that offers none.
 */
export type Host = 'server' | 'edge' | 'bare'

export interface IsolateOptions {
  readonly face: Face
  readonly host: Host
  /** Whether its limiter takes units ahead. */
  readonly lease: boolean
  readonly breaker: boolean
  /** In ms: by how much its clock is wrong. */
  readonly skew: number
  /** In ms, one way. */
  readonly trip: number
}

/** An isolate that runs Tidegate's own limiter over Tidegate's own store. */
export interface Isolate {
  readonly id: number
  readonly options: IsolateOptions
  readonly line: Line
  /** A request of a client, counted by these rules. */
  ask(client: string, rules: readonly Rule[]): Promise<Decision>
  die(): void
}

/** What isolates share. */
export interface Surroundings {
  readonly scene: Scene
  readonly time: VirtualTime
  readonly watcher: Required<Watcher>
  readonly rules: readonly Rule[]
  /** Whether the server is a Redis Cluster, where a call counts one client only. */
  readonly cluster: boolean
  readonly random: () => number
}

/** A platform's mark, by which the library sees that nothing keeps running after a response. */
const VERCEL_REQUEST = Symbol.for('@vercel/request-context')

/** The request in whose name code runs. */
const current = new AsyncLocalStorage<Ask>()

export const PREFIX = 'k'

export function startIsolate(id: number, options: IsolateOptions, around: Surroundings): Isolate {
  const { face, host, lease, breaker, skew, trip } = options
  const { scene, time, watcher, rules, cluster, random } = around
  const isOrdered = face === 'tcp'
  const wire = line({ isolate: id, scene, time, watcher, trip, isOrdered, random })
  const getAsk = () => current.getStore()
  const client = clientOf(face, wire, getAsk, time.timer)
  const settings = { name: 'model', prefix: PREFIX }
  const store = cluster
    ? clusterStore(client, settings, (client) => client)
    : redisStore(client, settings)
  /** What a request is about, since a `Request` cannot tell. */
  const about = new WeakMap<Request, { client: string; rules: readonly Rule[] }>()
  const clientName = (request: Request) => ({ plain: about.get(request)?.client ?? '' })
  let isAlive = true

  /** The limiter's guard, with chance that repeats, and every grant seen. */
  const watched = seenStore(store, random, (demands) => {
    const ask = getAsk()
    return {
      failed(operation, error) {
        if (ask && isAlive && operation === 'take') watcher.failed(ask, error)
      },
      granted(grants) {
        if (ask && isAlive) watcher.granted(ask, demands, grants)
      },
    }
  })

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
    store: watched,
    timeout: scene.timeout,
    breaker,
    clock: () => time.now() + skew,
    timer: time.timer,
    onStoreEvent: ({ type }: StoreEvent) => {
      if (isAlive) watcher.reported(id, type)
    },
  })

  async function ask(client: string, asked: readonly Rule[]): Promise<Decision> {
    const request = new Request('https://example.com/')
    about.set(request, { client, rules: asked })
    const one: Ask = { isolate: id, client, since: time.now() }
    const waitUntil = host === 'edge' ? (work: Promise<unknown>) => void work : undefined
    const decision = await current.run(one, () =>
      onHost(host, () => limiter.check(request, waitUntil && { waitUntil })),
    )
    if (isAlive) watcher.decided(one, asked, decision)
    return decision
  }

  return {
    id,
    options,
    line: wire,
    ask,
    die() {
      isAlive = false
      wire.cut()
      watcher.died(id)
    },
  }
}

/** Calls a function as on a host. The library looks at its host in the first part of a check. */
function onHost<Result>(host: Host, call: () => Result): Result {
  if (host === 'server') return call()
  const marks = globalThis as { [VERCEL_REQUEST]?: unknown }
  marks[VERCEL_REQUEST] = { get: () => ({ headers: {} }) }
  try {
    return call()
  } finally {
    delete marks[VERCEL_REQUEST]
  }
}
