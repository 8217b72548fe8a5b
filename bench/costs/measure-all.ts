import { type Estimate, estimate, LIMITERS, type Limiter } from '../../src/cost/estimate.ts'
import { CASES, type Case, trafficOf } from './cases.ts'
import { type Measurement, prepare } from './measure.ts'

export interface Estimated extends Case {
  readonly estimate: Estimate
}

/** Estimates all cases, in some seconds. */
export async function estimateAll(): Promise<readonly Estimated[]> {
  const estimated: Estimated[] = []
  for (const one of CASES) estimated.push({ ...one, estimate: await estimate(trafficOf(one)) })
  return estimated
}

/** Billed commands per request of one limiter in one case, as Redis counts them. */
export interface Measured {
  readonly name: string
  readonly limiter: Limiter
  readonly measured: number
}

/** What `tidegate cost` estimates for the same. */
export function estimatedOf(cases: readonly Estimated[], { name, limiter }: Measured): number {
  const found = cases.find((one) => one.name === name)
  return found?.estimate.usages[limiter].commandsPerRequest ?? Number.NaN
}

/** Measures all limiters in some cases, at once, by the real clock: 20 to 45 seconds. */
export async function measureAll(
  cases: readonly Estimated[],
  isMeasured: (name: string, limiter: Limiter) => boolean = () => true,
): Promise<readonly Measured[]> {
  const prepared: (Omit<Measured, 'measured'> & Measurement)[] = []
  try {
    for (const { name, estimate } of cases) {
      for (const limiter of LIMITERS.filter((each) => isMeasured(name, each))) {
        const measurement = await prepare(limiter, estimate.traffic)
        prepared.push({ name, limiter, ...measurement })
      }
    }
    return await Promise.all(
      prepared.map(async ({ name, limiter, run }) => ({ name, limiter, measured: await run() })),
    )
  } finally {
    for (const { stop } of prepared) await stop()
  }
}
