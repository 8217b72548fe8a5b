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

/** In ms. */
export const WINDOW = 3_600_000
