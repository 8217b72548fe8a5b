import type { Fallback } from '../../../src/stores/guard-options.ts'
import type { Fault } from './fault.ts'
import type { IsolateOptions } from './isolate.ts'

/** What there is. Plain data, so that a sequence can be written down. */
export interface Setting {
  readonly rules: readonly {
    readonly limit: number
    /** In ms. */
    readonly window: number
    readonly fallback: Fallback
  }[]
  readonly isolates: readonly IsolateOptions[]
  readonly cluster: boolean
  /** In ms: how long a check may wait for the store. */
  readonly timeout: number
  readonly seed: number
}

/** What happens next. Numbers of isolates, clients and rules are taken modulo how many there are. */
export type Step =
  /**
   * Requests of one client, `gap` ms apart. Bit n of `rules` says whether the n-th policy counts
   * them; if none does, all do.
   */
  | {
      readonly do: 'ask'
      readonly isolate: number
      readonly client: number
      readonly rules: number
      readonly count: number
      readonly gap: number
    }
  | { readonly do: 'wait'; readonly ms: number }
  /** Calls of one isolate, or of all, meet a fault from now on. */
  | { readonly do: 'fault'; readonly isolate: number | 'all'; readonly fault: Fault }
  /** An isolate ends, and another one starts in its place. */
  | { readonly do: 'restart'; readonly isolate: number }
  /** A key is lost. */
  | { readonly do: 'evict'; readonly client: number; readonly rule: number }
  /** A key gets a value that is no count. */
  | { readonly do: 'spoil'; readonly client: number; readonly rule: number }
  /** All keys are lost; with a restart of the server also its scripts. */
  | { readonly do: 'flush' | 'reboot' }
  /** All faults end, and every isolate asks until the store has answered it. */
  | { readonly do: 'recover' }

export interface Sequence {
  readonly setting: Setting
  readonly steps: readonly Step[]
}
