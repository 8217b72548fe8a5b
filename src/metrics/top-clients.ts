import type { Clock } from '../clock.ts'

/** All counts are halved after each of these periods. */
const HALVING_MS = 600_000

/** A client that was refused often, of late. */
export interface RefusedClient {
  /** The policy that refused. */
  readonly policy: string
  /** As the option `eventClients` of the limiter names it. */
  readonly client: string
  /** How often, at most. Halved every 10 minutes. */
  readonly refused: number
  /** By how much `refused` may be too high. */
  readonly overestimate: number
}

/** Counts the clients that are refused most, in bounded memory. Forgets the old refusals. */
export interface TopClients {
  count(policy: string, client: string): void
  /** The most refused first. */
  read(): readonly RefusedClient[]
}

/**
 * Space-Saving (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k
 * elements in data streams"): a new client takes the place of the one with the smallest count, and
 * goes on from that count. Each client with more than `refusals / capacity` refusals is among the
 * clients that it keeps. Halving all counts keeps that true for the sum of the halved refusals.
 */
export function topClients(capacity: number, clock: Clock): TopClients {
  const clients = new Map<
    string,
    { -readonly [Field in keyof RefusedClient]: RefusedClient[Field] }
  >()

  /** When the counts were halved; `undefined` before the first refusal. */
  let halvedAt: number | undefined

  /** Halves all counts once for each period that has ended, and removes the clients below one. */
  function age(): void {
    const now = clock()
    // A clock that was set back begins a period.
    if (halvedAt === undefined || now < halvedAt) halvedAt = now
    const periods = Math.floor((now - halvedAt) / HALVING_MS)
    if (periods === 0) return
    halvedAt += periods * HALVING_MS
    const share = 2 ** -periods
    for (const [key, client] of clients) {
      client.refused *= share
      client.overestimate *= share
      if (client.refused < 1) clients.delete(key)
    }
  }

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
      age()
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
    read() {
      age()
      return Array.from(clients.values(), ({ policy, client, refused, overestimate }) => ({
        policy,
        client,
        refused: Math.round(refused),
        overestimate: Math.round(overestimate),
      })).sort((a, b) => b.refused - a.refused)
    },
  }
}
