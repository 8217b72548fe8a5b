/** What is counted at one moment. */
export interface Sample {
  /** In seconds since faults began. */
  readonly at: number
  /** Bytes of each isolate, after a collection. */
  readonly heaps: readonly number[]
  /** Resident bytes of workerd. */
  readonly rss: number
  /** Connections of each isolate to its proxy. */
  readonly sockets: readonly number[]
  /** All sockets of workerd. */
  readonly workerdSockets: number
  /** Connections of the gateway to Redis. */
  readonly redisSockets: number
  /** Lines that each isolate has logged so far. */
  readonly lines: readonly number[]
  /** Requests sent so far. */
  readonly requests: number
}
