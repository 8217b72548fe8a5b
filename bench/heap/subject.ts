/** Something that remembers clients. */
export interface Subject {
  /** The first request of a client. Throws unless it is answered as the first. */
  ask(client: string): Promise<void>
  /** What it remembers of the first and the last client, after all have asked. */
  prove(first: string, last: string): Promise<Proof>
}

export interface Proof {
  readonly first: boolean
  readonly last: boolean
}

/** By what is left of a limit of `LIMIT` after each request, where a limiter tells. */
export const byRemaining = (
  remaining: (client: string) => Promise<number | undefined>,
): Subject => ({
  async ask(client) {
    if ((await remaining(client)) !== LIMIT - 1) throw new Error('not the first of this client')
  },
  async prove(first, last) {
    const knowsLast = (await remaining(last)) === LIMIT - 2
    return { first: (await remaining(first)) === LIMIT - 2, last: knowsLast }
  },
})

export const LIMIT = 10

/** In ms. */
export const WINDOW = 3_600_000
