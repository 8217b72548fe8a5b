import { type Command, isWrite } from '../command.ts'
import type { Ask, Scene, Watcher } from '../watcher.ts'

/** In ms: the shortest pause between probes, less its spread. */
const SHORTEST_PAUSE_MS = 200

interface State {
  isOpen: boolean
  /** When the outage began. */
  since: number
  /** When an answer last came. */
  answeredAt: number
  probedAt: number
}

export interface BreakerScene extends Scene {
  /** How the isolate's breaker works: one for all clients, one for each, or none. */
  readonly breakerOf: (isolate: number) => 'one' | 'many' | 'none'
}

/**
 * A failure opens the breaker if no answer has come since its question was sent. While it is open
 * requests wait for nothing, and one now and then probes the store.
 */
export function breakers(scene: BreakerScene): Watcher {
  const { now, fail, breakerOf, hasBackground } = scene
  const states = new Map<number, State>()
  const asked = new WeakSet<Ask>()
  /** Requests whose probe takes a unit: they are not granted here. */
  const probing = new WeakSet<Ask>()
  const hadKeyError = new WeakSet<Ask>()
  const due: { readonly isolate: number; readonly at: number }[] = []

  function stateOf(isolate: number): State {
    const never = Number.NEGATIVE_INFINITY
    const state = states.get(isolate) ?? {
      isOpen: false,
      since: 0,
      answeredAt: never,
      probedAt: never,
    }
    states.set(isolate, state)
    return state
  }

  return {
    sent({ isolate, ask, command }) {
      if (ask === undefined) return
      const isFirst = !asked.has(ask)
      asked.add(ask)
      if (breakerOf(isolate) !== 'one' || !isFirst) return
      const state = stateOf(isolate)
      // Work behind the back of an earlier request is no probe.
      if (!state.isOpen || ask.since < state.since || ask.since !== now()) return
      const pause = now() - state.probedAt
      if (pause < SHORTEST_PAUSE_MS) fail(`isolate ${isolate} probes ${pause} ms after a probe`)
      state.probedAt = now()
      if (isWrite(command)) probing.add(ask)
    },
    answered({ isolate }) {
      stateOf(isolate).answeredAt = now()
    },
    rejected({ isolate, ask, command }, error) {
      const isOfKey = /^(?:WRONGTYPE|NOSCRIPT) /.test(error)
      // A call that charges several clients may be refused because of one of them.
      const isBatch = isLook(command)
      if (isOfKey || isBatch) stateOf(isolate).answeredAt = now()
      if (!isOfKey) return
      if (ask) hadKeyError.add(ask)
    },
    decided(ask, rules, decision) {
      const { isolate, since } = ask
      const state = stateOf(isolate)
      if (breakerOf(isolate) !== 'one') return
      const isFailed = decision.degraded && asked.has(ask) && !hadKeyError.has(ask)
      if (isFailed && state.answeredAt < since) due.push({ isolate, at: now() })
      const took = now() - since
      if (took === 0 || !state.isOpen || since <= state.since) return
      // After an error of the server, a request that a closed policy refuses may be the probe itself.
      const mayWait = probing.has(ask) && rules.some(({ fallback }) => fallback === 'closed')
      if (!mayWait && (hasBackground(isolate) || !asked.has(ask))) {
        fail(`isolate ${isolate}: a check took ${took} ms while the store was away`)
      }
    },
    reported(isolate, type) {
      const state = stateOf(isolate)
      if (type === 'failed') return
      if (breakerOf(isolate) === 'one' && state.isOpen === (type === 'away')) {
        fail(`isolate ${isolate} reports ${type} twice`)
      }
      state.isOpen = type === 'away'
      if (state.isOpen) state.since = now()
    },
    died: (isolate) => void states.delete(isolate),
    settled() {
      for (const { isolate } of due.splice(0)) {
        const state = states.get(isolate)
        if (state && !state.isOpen) fail(`isolate ${isolate}: a failure does not open the breaker`)
      }
    },
  }
}

const isLook = (command: Command): boolean =>
  command.name !== 'INCRBY' &&
  command.demands.length > 1 &&
  command.demands.every(({ cost }) => cost === 0)
