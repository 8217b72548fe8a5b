import { boundedNames, series } from './series.ts'

/**
 * Upper bounds of the histograms' buckets in seconds. The alert for a slow store compares the
 * median with 10 ms.
 */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Policies beyond these, or stores, are counted together as `_other`. */
const MAX_POLICIES = 100
export const MAX_STORES = 20

const counter = (name: string, unit: string, help: string) =>
  ({ name, type: 'counter', unit, help }) as const

const histogram = (name: string, help: string) =>
  ({ name, type: 'histogram', unit: 's', help }) as const

/** All metrics of one collector. */
export function instruments() {
  const dropped = series(
    counter('series.dropped', '{value}', 'Values counted as _other, beyond the bounds of labels.'),
    [],
  )
  const drops = dropped.at()
  const drop = () => void drops.value++
  const count = (name: string, unit: string, help: string, ...labels: readonly string[]) =>
    series(counter(name, unit, help), labels, drop)
  const time = (name: string, help: string, ...labels: readonly string[]) =>
    series(histogram(name, help), labels, drop, SECONDS)
  return {
    policyName: boundedNames(MAX_POLICIES, drop),
    storeName: boundedNames(MAX_STORES, drop),
    all: {
      checks: count(
        'checks',
        '{check}',
        'Checks by outcome and by who decided.',
        'outcome',
        'source',
      ),
      decisions: count(
        'policy.decisions',
        '{decision}',
        'Decisions of each policy. A refused check counts for the policies that refused it.',
        'policy',
        'outcome',
      ),
      nearLimit: count(
        'policy.near_limit',
        '{check}',
        'Allowed checks after which at most a fifth of the limit was left.',
        'policy',
      ),
      units: count('units', '{unit}', 'Units granted.', 'policy'),
      degraded: count(
        'degraded',
        '{check}',
        'Checks decided without the store, by the reason.',
        'reason',
      ),
      checkTime: time('check.duration', 'How long checks took.'),
      storeTime: time(
        'store.operation.duration',
        'How long calls to the store took, failed calls included.',
        'store',
        'operation',
      ),
      storeErrors: count(
        'store.errors',
        '{error}',
        'Calls to the store that failed.',
        'store',
        'operation',
        'error_type',
      ),
      breakerOpen: series(
        {
          name: 'breaker.open',
          type: 'gauge',
          unit: '{breaker}',
          help: 'Whether the store is left alone because it fails: 1 or 0.',
        },
        ['store'],
        drop,
      ),
      breakerTransitions: count(
        'breaker.transitions',
        '{transition}',
        'How often a store was away, and was back.',
        'store',
        'state',
      ),
      leaseUnits: count(
        'lease.units',
        '{unit}',
        'Units that were taken ahead, and spent of them.',
        'result',
      ),
      sendErrors: count('send.errors', '{error}', 'Reports that the function send rejected.'),
      dropped,
    },
  }
}
