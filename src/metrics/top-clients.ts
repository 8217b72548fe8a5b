/** A client that was refused often. */
export interface RefusedClient {
  /** The policy that refused. */
  readonly policy: string
  /** As the option `eventClients` of the limiter names it. */
  readonly client: string
  /** How often, at most. */
  readonly refused: number
  /** By how much `refused` may be too high. */
  readonly overestimate: number
}

/** Counts the clients that are refused most, in bounded memory. */
export interface TopClients {
  count(policy: string, client: string): void
  /** The most refused first. */
  read(): readonly RefusedClient[]
}

/**
 * Space-Saving (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k
 * elements in data streams"): a new client takes the place of the one with the smallest count, and
 * goes on from that count. Each client with more than `refusals / capacity` refusals is among the
 * clients that it keeps.
 */
export function topClients(capacity: number): TopClients {
  const clients = new Map<
    string,
    { -readonly [Field in keyof RefusedClient]: RefusedClient[Field] }
  >()

  /** Removes the client with the smallest count, and returns that count. */
  function removeLeast(): number {
    let least: string | undefined
    let count = Number.POSITIVE_INFINITY
    for (const [key, { refused }] of clients) {
      if (refused >= count) continue
      least = key
      count = refused
    }
    if (least !== undefined) clients.delete(least)
    return count
  }

  return {
    count(policy, client) {
      // No policy's name contains a line break.
      const key = `${policy}\n${client}`
      const known = clients.get(key)
      if (known) {
        known.refused++
        return
      }
      const overestimate = clients.size < capacity ? 0 : removeLeast()
      clients.set(key, { policy, client, refused: overestimate + 1, overestimate })
    },
    read: () =>
      Array.from(clients.values(), (client) => ({ ...client })).sort(
        (a, b) => b.refused - a.refused,
      ),
  }
}
