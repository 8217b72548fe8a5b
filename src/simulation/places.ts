import type { Random } from './random.ts'

/**
 * Round trips in ms to Virginia, where the one Redis of the simulation stands: what 95 of 100
 * probes took at most in the 30 days to 30 July 2026 between the East US region of Azure and
 * those in or near these cities (https://learn.microsoft.com/azure/networking/azure-network-latency);
 * Ashburn itself by the 2 ms between zones of a region
 * (https://learn.microsoft.com/azure/reliability/availability-zones-overview).
 */
const ROUND_TRIPS: readonly (readonly [city: string, ms: number])[] = [
  ['Ashburn', 2],
  ['London', 80],
  ['San Francisco', 72],
  ['Frankfurt', 97],
  ['Tokyo', 165],
  ['São Paulo', 121],
  ['Singapore', 229],
  ['Chicago', 24],
  ['Sydney', 206],
  ['Mumbai', 218],
  ['Paris', 90],
  ['Toronto', 21],
  ['Amsterdam', 91],
  ['San Antonio', 47],
  ['Seoul', 192],
  ['Johannesburg', 225],
  ['Hong Kong', 208],
  ['Querétaro', 66],
  ['Madrid', 84],
  ['Stockholm', 108],
  ['Dubai', 191],
  ['Seattle', 76],
  ['Warsaw', 112],
  ['Milan', 107],
  ['Osaka', 171],
  ['Dublin', 76],
  ['Jakarta', 241],
  ['Phoenix', 65],
  ['Tel Aviv', 126],
  ['Melbourne', 217],
  ['Québec', 28],
  ['Auckland', 200],
  ['Zürich', 104],
  ['Doha', 165],
  ['Cape Town', 208],
]

/** In ms: a thousand kilometres of fibre, there and back. As far is a further point from its city. */
const AROUND = 10

/** How much longer than its best a trip takes on average: an assumption, for a well-kept backbone. */
const JITTER = 0.05

/** The usual round trip of each of so many points of presence, in ms. */
export function roundTrips(points: number, random: Random): readonly number[] {
  return Array.from({ length: points }, (_, point) => {
    const [, ms] = ROUND_TRIPS[point % ROUND_TRIPS.length] ?? ['', 0]
    return point < ROUND_TRIPS.length ? ms : ms + random.next() * AROUND
  })
}

/** How long one way takes now, in ms: mostly the usual, seldom a good deal longer. */
export const oneWay = (roundTrip: number, random: Random): number =>
  (roundTrip / 2) * (1 + random.wait(JITTER))
