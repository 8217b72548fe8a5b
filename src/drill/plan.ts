/** How many requests follow those that may pass: of the guide's fifteen, ten pass. */
const BEYOND_LIMIT = 5

/** How many requests the burst has that uses up the limit. */
export const burstLength = (admitted: number) => admitted + BEYOND_LIMIT

/** Forged addresses, spellings of the path, other methods, and an IPv6 neighbour. */
const VARIANTS = 35

/** A refusal whose `Retry-After` is tested, two requests before that time, and one after it. */
const RETRIES = 4

/** How many requests a drill sends if it finds no weakness. The next window is used up again. */
export const typicalRequests = (admitted: number) =>
  burstLength(admitted) + VARIANTS + RETRIES + admitted
