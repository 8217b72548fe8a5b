import type { Store } from '../stores/store.ts'

/** A store to be tested, and how to reach what stands behind it. */
export interface Subject {
  readonly store: Store
  /** Lets time pass on the store's clock: a manual clock's `advance`, or a real wait. */
  elapse(ms: number): Promise<void> | void
  /** Forgets every count, as an eviction or a flush does. */
  flush(): Promise<void> | void
  /** Takes the expiry from every window that is open, as a lost EXPIRE or a restore does. */
  loseExpiry(): Promise<void> | void
  /** Ends what `make` began. */
  close?(): Promise<void> | void
}

export interface ConformanceOptions {
  /** `test` or `it` of the runner: Vitest, Jest, `node:test`, Bun and Deno all have one that fits. */
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
