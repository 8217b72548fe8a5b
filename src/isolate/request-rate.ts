/*
 * The numbers were found with `npm run simulate`: a client who comes once a second, by chance or
 * evenly, and wanders between isolates, is hot in none of them.
 */

/** From which heat on a key is hot: two or three requests a second, for some seconds. */
const HOT = 11

/** In ms: for how long a request warms its key, fading. */
const COOLING = 4500

/** In ms. Before a key was warm for so long its rate is not believed whole: it may be one page. */
const SETTLING = 1000

/** How much a key is asked for in this isolate of late. */
export interface Heat {
  /** Requests seen here, each fading with time. */
  heat: number
  heatedAt: number
  /** Since when requests follow each other within some seconds. */
  warmSince: number
}

export const coldAt = (now: number): Heat => ({ heat: 0, heatedAt: now, warmSince: now })

/** A request warms its key. */
export function warm(key: Heat, now: number): void {
  const idle = Math.max(0, now - key.heatedAt)
  const left = key.heat * Math.exp(-idle / COOLING)
  // A clock that was set back says nothing of how long it has been warm.
  if (left < 1 || now < key.heatedAt) key.warmSince = now
  key.heat = left + 1
  key.heatedAt = now
}

export const isHot = ({ heat }: Heat): boolean => heat >= HOT

/** How many requests are to be expected here within so many ms. */
export const expected = ({ heat, heatedAt, warmSince }: Heat, ms: number): number =>
  ((heat - 1) * ms) / Math.min(COOLING, heatedAt - warmSince + SETTLING)
