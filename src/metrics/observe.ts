import type { Clock } from '../clock.ts'
import type { DecisionEvent } from '../limiter/decision-event.ts'
import { policyLabel } from '../response/field-writer.ts'
import type { StoreCall } from '../stores/store-call.ts'
import type { StoreEvent } from '../stores/store-event.ts'
import { instruments } from './instruments.ts'
import type { Metric } from './metric.ts'
import type { Cell } from './series.ts'
import { type RefusedClient, topClients } from './top-clients.ts'

/** The share of the limit up to which a check counts as near the limit. */
const NEAR_LIMIT = 0.2

const MAX_CLIENTS = 100

/** Names that come with events, whose cells are kept at hand. More are looked up each time. */
const MAX_KEPT = 200

const ERRORS = ['unreachable', 'timeout', 'unauthorized', 'rejected'] as const

/** The values of all metrics, and what changes them. */
export interface Observations {
  decided(event: DecisionEvent): void
  storeChanged(event: StoreEvent): void
  sendFailed(): void
  read(): readonly Metric[]
  refusedMost(): readonly RefusedClient[]
}

/** @param clock of the clients that are refused most */
export function observations(clock: Clock): Observations {
  const { all, policyName, storeName } = instruments()
  const refused = topClients(MAX_CLIENTS, clock)
  const checkTime = all.checkTime.at()
  const spent = all.leaseUnits.at('spent')
  const taken = all.leaseUnits.at('taken')
  const sendErrors = all.sendErrors.at()

  const allowedBy = kept((source: string) => all.checks.at('allowed', source))
  const refusedBy = kept((source: string) => all.checks.at('refused', source))

  const policyOf = kept((name: string) => {
    const policy = policyName(policyLabel({ name }))
    return {
      policy,
      allowed: all.decisions.at(policy, 'allowed'),
      refused: all.decisions.at(policy, 'refused'),
      units: all.units.at(policy),
      nearLimit: all.nearLimit.at(policy),
    }
  })

  /*
   * Series begin at 0, so that the first error is an increase:
   * https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics
   */
  const storeOf = kept((label: string) => {
    const store = storeName(label)
    for (const state of ['open', 'closed']) all.breakerTransitions.at(store, state)
    for (const error of ERRORS) all.storeErrors.at(store, 'take', error)
    return { store, isOpen: all.breakerOpen.at(store), takes: all.storeTime.at(store, 'take') }
  })
  const degradedBy = kept((reason: string) => all.degraded.at(reason))
  for (const reason of ['away', ...ERRORS]) degradedBy(reason)

  function called(
    { store, takes }: { readonly store: string; readonly takes: Cell },
    { operation, took, error, ahead }: StoreCall,
  ): void {
    const time = operation === 'take' ? takes : all.storeTime.at(store, operation)
    time.record(took / 1000)
    if (error !== undefined) all.storeErrors.at(store, operation, error).value++
    if (ahead > 0) taken.value += ahead
  }

  return {
    decided({ allowed, source, took, outcomes, policies, store, call, background, degraded }) {
      const checks = allowed ? allowedBy(source) : refusedBy(source)
      checks.value++
      checkTime.record(took / 1000)
      let place = 0
      for (const outcome of outcomes) {
        const cells = policyOf(outcome.policy, place++)
        if (outcome.refused) {
          cells.refused.value++
          if (outcome.client !== undefined) refused.count(outcome.policy, outcome.client)
        } else if (allowed) {
          cells.allowed.value++
          cells.units.value += outcome.cost
          if (outcome.source === 'lease') spent.value += outcome.cost
        }
      }
      if (allowed) {
        place = 0
        for (const { name, remaining, limit } of policies) {
          if (remaining <= limit * NEAR_LIMIT) policyOf(name, place).nearLimit.value++
          place++
        }
      }
      if (degraded) degradedBy(call?.error ?? 'away').value++
      if (store === undefined) return
      const cells = storeOf(store)
      if (call) called(cells, call)
      for (const ended of background) called(cells, ended)
    },
    storeChanged(event) {
      if (event.type === 'failed') return
      const { store, isOpen } = storeOf(event.store)
      isOpen.value = event.type === 'away' ? 1 : 0
      all.breakerTransitions.at(store, event.type === 'away' ? 'open' : 'closed').value++
    },
    sendFailed() {
      sendErrors.value++
    },
    read: () => Object.values(all).map((one) => one.read()),
    refusedMost: () => refused.read(),
  }
}

/**
 * Keeps what `make` returns for the first names, and for the name that came last in each place: an
 * event mostly has the same names as the event before, in the same order.
 */
function kept<Value>(make: (name: string) => Value): (name: string, place?: number) => Value {
  const entries = new Map<string, Kept<Value>>()
  const last: Kept<Value>[] = []

  return (name, place = 0) => {
    let entry = last[place]
    if (entry?.name !== name) {
      entry = entries.get(name) ?? { name, value: make(name) }
      if (entries.size < MAX_KEPT) entries.set(name, entry)
      last[place] = entry
    }
    return entry.value
  }
}

interface Kept<Value> {
  readonly name: string
  readonly value: Value
}
