/** Chance that is the same for the same seed. */
export interface Random {
  /** From 0, below 1. */
  next(): number
  /** A whole number from 0, below `count`. */
  below(count: number): number
  /** A time to wait for something that happens, on average, every `mean`. */
  wait(mean: number): number
}

/**
 * A stream of chance of its own for each purpose, so that one more question asked of one does not
 * change the answers of another: all modes then see the same requests.
 *
 * The generator is sfc32 (C. Doty-Humphrey, https://pracrand.sourceforge.net), the seeding FNV-1a.
 */
export function random(seed: number, purpose: string): Random {
  let [a, b, c, counter] = [hash(`${seed}/${purpose}`), seed | 0, hash(purpose), 1]

  function next(): number {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }

  // What the seeds have in common is mixed away after a dozen rounds.
  for (let round = 0; round < 16; round++) next()
  return {
    next,
    below: (count) => Math.floor(next() * count),
    wait: (mean) => -mean * Math.log(1 - next()),
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value
}
