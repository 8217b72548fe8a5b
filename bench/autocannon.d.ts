/** What the bench uses of autocannon 9, which has no types of its own. */
declare module 'autocannon' {
  interface Options {
    readonly url: string
    readonly connections: number
    /** How many requests to send. Without it, they are sent for `duration`. */
    readonly amount?: number
    /** In seconds. */
    readonly duration?: number
    /** In seconds. */
    readonly timeout?: number
    readonly method?: 'POST'
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  }

  interface Result {
    /** Connection errors and timeouts. */
    readonly errors: number
    /** Responses with such a status. */
    readonly '2xx': number
    /** Responses with any other status. */
    readonly non2xx: number
    /** Requests a second. */
    readonly requests: { readonly average: number }
    /** In ms. */
    readonly latency: { readonly p50: number; readonly p99: number }
  }

  export default function autocannon(options: Options): Promise<Result>
}
