import type { Store } from '../stores/store.ts'

/** A store to be tested, and ways to change its backend. */
export interface Subject {
  readonly store: Store
  /** Lets time pass on the store's clock: a manual clock's `advance`, or a real wait. */
  elapse(ms: number): Promise<void> | void
  /** Forgets every count, as an eviction or a flush does. */
  flush(): Promise<void> | void
  /** Removes the expiry of every open window, as a lost EXPIRE or a restore does. */
  loseExpiry(): Promise<void> | void
  /** Closes what `make` opened. */
  close?(): Promise<void> | void
}

export interface ConformanceOptions {
  /**
   * `test` or `it` of the runner: Vitest, Jest, `node:test`, Bun and Deno all have one that fits.
   */
  readonly test: (name: string, body: () => Promise<void>) => unknown
  /** Makes a fresh subject; called once in each test. */
  readonly make: () => Promise<Subject> | Subject
  /** Makes a store of the same kind whose backend cannot be reached, if it has a backend at all. */
  readonly unreachable?: (() => Store) | undefined
  /**
   * The window of the tests in ms: far above a trip to the store, and short where `elapse` waits.
   * @default 400
   */
  readonly window?: number | undefined
}
