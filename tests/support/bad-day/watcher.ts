import type { StoreErrorCode } from '../../../src/errors.ts'
import type { Decision } from '../../../src/limiter/decision.ts'
import type { Fallback } from '../../../src/stores/guard-options.ts'
import type { Demand, Grant } from '../../../src/stores/store.ts'
import type { Command } from './command.ts'
import type { Outcome } from './outcome.ts'
import type { Server } from './server.ts'

/** A policy, the same in all isolates. */
export interface Rule {
  readonly name: string
  readonly limit: number
  /** In ms. */
  readonly window: number
  readonly fallback: Fallback
}

/** A request in an isolate. */
export interface Ask {
  /** Each start of an isolate has a number of its own. */
  readonly isolate: number
  readonly client: string
  readonly since: number
}

/** A command that an isolate has sent. */
export interface Sent {
  readonly isolate: number
  /** The request in whose name it was sent; also work behind the request's back. */
  readonly ask: Ask | undefined
  readonly command: Command
  readonly at: number
}

/** A command that the server has run. */
export interface Executed extends Sent {
  readonly executedAt: number
  readonly outcomes: readonly Outcome[]
}

/** The part of the world that a watcher needs. */
export interface Scene {
  readonly now: () => number
  readonly server: Server
  readonly ruleOf: (key: string) => Rule
  readonly keyOf: (demand: { readonly policy: string; readonly client: string }) => string
  /** In ms. */
  readonly timeout: number
  /** Whether an isolate can work behind the back of a request. */
  readonly hasBackground: (isolate: number) => boolean
  /** Notes a violated invariant. */
  readonly fail: (message: string) => void
}

/** Watches one invariant. */
export interface Watcher {
  sent?(sent: Sent): void
  executed?(executed: Executed): void
  /** The answer has come, and nobody had given up on it. */
  answered?(executed: Executed): void
  /** The server has answered with an error, or there was none to take the call. */
  rejected?(sent: Sent, error: string): void
  /** The call that a request waited for has failed. */
  failed?(ask: Ask, code: StoreErrorCode): void
  /** The server does not know a script by its hash. Its text follows. */
  unknownHash?(sent: Sent): void
  /** What the isolate's guard has granted for a request, before its limiter decides. */
  granted?(ask: Ask, demands: readonly Demand[], grants: readonly Grant[]): void
  decided?(ask: Ask, rules: readonly Rule[], decision: Decision): void
  /** The store is away, or back, as the isolate reports it. */
  reported?(isolate: number, type: 'away' | 'back' | 'failed'): void
  died?(isolate: number): void
  /** All that can happen at this moment has happened. */
  settled?(): void
  /** The store has answered every isolate for some time, and nothing is under way. */
  quiet?(): void
}
