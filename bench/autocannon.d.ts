/** What `main.ts` uses of autocannon 9, which has no types of its own. */
declare module 'autocannon' {
  interface Options {
    readonly url: string
    readonly connections: number
    /** How many requests to send. */
    readonly amount: number
    /** In seconds. */
    readonly timeout: number
  }

  interface Result {
    /** Connection errors and timeouts. */
    readonly errors: number
    /** Responses with such a status. */
    readonly '2xx': number
  }

  export default function autocannon(options: Options): Promise<Result>
}
