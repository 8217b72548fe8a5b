/** The traffic of a month, and the limit that it meets. */
export interface Traffic {
  /** Requests a month, of all clients together. */
  readonly requests: number
  /** Clients that are counted apart. Each visit is that of any of them, with equal chances. */
  readonly clients: number
  /** Requests per window and client. */
  readonly limit: number
  /** In ms. */
  readonly window: number
  /** Whether isolates take units ahead. */
  readonly lease: boolean
  /** Among how many isolates the requests of a client are spread. */
  readonly isolates: number
  /** Requests that a client sends one soon after the other, on average. */
  readonly visit: number
  /** For how many ms a client stays at an isolate, on average; 0 if each request may move on. */
  readonly stay: number
}
