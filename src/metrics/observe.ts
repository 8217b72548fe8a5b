import type { DecisionEvent } from '../limiter/decision-event.ts'
import { policyLabel } from '../response/field-writer.ts'
import type { StoreCall } from '../stores/store-call.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import { instruments } from './instruments.ts'
import type { Metric } from './metric.ts'
import { type RefusedClient, topClients } from './top-clients.ts'

/** A client's share of the limit below which a check counts as near the limit. */
const NEAR_LIMIT = 0.2

const MAX_CLIENTS = 100

const ERRORS = ['unreachable', 'timeout', 'unauthorized', 'rejected'] as const

/** The values of all metrics, and what changes them. */
export interface Observations {
  decided(event: DecisionEvent): void
  storeChanged(event: StoreEvent): void
  sendFailed(): void
  read(): readonly Metric[]
  refusedMost(): readonly RefusedClient[]
}

export function observations(): Observations {
  const { all, policyName, storeName } = instruments()
  const refused = topClients(MAX_CLIENTS)
  const stores = new Set<string>()

  /*
   * Series begin at 0, so that the first error is an increase:
   * https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics
   */
  for (const reason of ['away', ...ERRORS]) all.degraded.add(0, reason)
  all.sendErrors.add(0)

  function nameOf(label: string): string {
    const store = storeName(label)
    if (stores.has(store)) return store
    stores.add(store)
    all.breakerOpen.set(0, store)
    for (const state of ['open', 'closed']) all.breakerTransitions.add(0, store, state)
    for (const error of ERRORS) all.storeErrors.add(0, store, 'take', error)
    return store
  }

  function called(store: string, { operation, took, error, ahead }: StoreCall): void {
    all.storeTime.record(took / 1000, store, operation)
    if (error !== undefined) all.storeErrors.add(1, store, operation, error)
    if (ahead > 0) all.leaseUnits.add(ahead, 'taken')
  }

  return {
    decided({ allowed, source, took, outcomes, policies, store, call, background, degraded }) {
      all.checks.add(1, allowed ? 'allowed' : 'refused', source)
      all.checkTime.record(took / 1000)
      for (const outcome of outcomes) {
        const policy = policyName(policyLabel({ name: outcome.policy }))
        if (outcome.refused) {
          all.decisions.add(1, policy, 'refused')
          if (outcome.client !== undefined) refused.count(policy, outcome.client)
        } else if (allowed) {
          all.decisions.add(1, policy, 'allowed')
          all.units.add(outcome.cost, policy)
          if (outcome.source === 'lease') all.leaseUnits.add(outcome.cost, 'spent')
        }
      }
      if (allowed) {
        for (const { name, remaining, limit } of policies) {
          if (remaining <= limit * NEAR_LIMIT)
            all.nearLimit.add(1, policyName(policyLabel({ name })))
        }
      }
      if (degraded) all.degraded.add(1, call?.error ?? 'away')
      if (store === undefined) return
      const label = nameOf(store)
      if (call) called(label, call)
      for (const ended of background) called(label, ended)
    },
    storeChanged(event) {
      if (event.type === 'failed') return
      const store = nameOf(event.store)
      const isOpen = event.type === 'away'
      all.breakerOpen.set(isOpen ? 1 : 0, store)
      all.breakerTransitions.add(1, store, isOpen ? 'open' : 'closed')
    },
    sendFailed: () => all.sendErrors.add(1),
    read: () => Object.values(all).map((one) => one.read()),
    refusedMost: () => refused.read(),
  }
}
