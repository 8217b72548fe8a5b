import type { Life } from '../../../../src/simulation/life.ts'
import type { Owed } from '../../../../src/stores/store.ts'
import type { Command } from '../command.ts'
import { decisionTimes } from '../decision-times.ts'
import type { Ask, Scene, Sent, Watcher } from '../watcher.ts'
import type { Lives } from './lives.ts'

/** In ms: what clocks round off. */
const CLOCKS_MS = 1

/** A unit that an isolate has granted without the store. */
interface Unit {
  readonly at: number
  /** When the window ends in which it was granted. */
  readonly end: number
  /** Whether the store has to be charged with it. */
  readonly isOwed: boolean
}

/** A call that charges units. */
interface Claim extends Sent {
  readonly key: string
  readonly owed: Owed
}

/**
 * What is granted by a fallback that counts is charged once, and never to a window that is younger.
 * Once the debts are charged, the store has counted at least what was granted with its knowledge or
 * since charged, up to the limit.
 */
export function debts(scene: Scene, lives: Lives): Watcher {
  const { now, server, ruleOf, keyOf, hasBackground, fail } = scene
  const decided = decisionTimes(now, hasBackground)
  /** Units that are owed, by isolate and key. */
  const owing = new Map<number, Map<string, Unit[]>>()
  /** Calls that charge units, until it is known what their request was granted. */
  let claims: Claim[] = []
  /** Calls that count a request, or take units ahead. */
  const takes: Sent[] = []
  /** Requests that have sent a call. A second one belongs to the first, and charges nothing. */
  const begun = new WeakSet<Ask>()
  const ended = new WeakSet<Ask>()
  const timedOut = new WeakSet<Ask>()
  /** Requests whose script the server did not know. Its text follows. */
  const unknown = new WeakSet<Ask>()
  const charged = new Map<Life, number>()

  function unitsOf(isolate: number, key: string): Unit[] {
    const keys = owing.get(isolate) ?? new Map<string, Unit[]>()
    owing.set(isolate, keys)
    const units = keys.get(key) ?? []
    keys.set(key, units)
    return units
  }

  function note(ask: Ask, key: string, resetIn: number): void {
    const { fallback } = ruleOf(key)
    const at = decided.of(ask)
    // A call that met its deadline may yet be counted, so it need not be owed.
    const isOwed = fallback !== 'open' && !timedOut.has(ask)
    unitsOf(ask.isolate, key).push({ at, end: at + resetIn, isOwed })
  }

  function settleClaim({ key, isolate, at, owed }: Claim): void {
    const units = unitsOf(isolate, key)
    const open = units.filter((unit) => unit.at <= at && unit.end > at)
    // A probe charges the unit of its own request.
    const isProbe = owed.units === 1 && owed.age === 0
    const order = isProbe
      ? open.toReversed()
      : open.toSorted((a, b) => Number(b.isOwed) - Number(a.isOwed))
    const taken = order.slice(0, owed.units)
    if (taken.length < owed.units) {
      fail(`${key}: isolate ${isolate} charges ${owed.units} units and owes ${taken.length}`)
    }
    const first = Math.min(...taken.filter(({ isOwed }) => isOwed).map((unit) => unit.at))
    if (owed.age + CLOCKS_MS < at - first) {
      fail(`${key}: isolate ${isolate} charges units of ${at - first} ms ago as of ${owed.age}`)
    }
    const last = Math.max(...taken.map(({ end }) => end))
    if (owed.rest > last - at + CLOCKS_MS) {
      fail(`${key}: isolate ${isolate} charges a window of ${owed.rest} ms, of ${last - at} left`)
    }
    const left = units.filter((unit) => !taken.includes(unit))
    units.splice(0, units.length, ...left)
  }

  /** What was owed when a request is counted is charged before it. */
  function settleTake({ isolate, command, at }: Sent): void {
    const demands = command.name === 'INCRBY' ? [{ ...command, cost: 1 }] : command.demands
    for (const { key, cost } of demands) {
      if (cost === 0) continue
      const isLeft = (unit: Unit) => unit.isOwed && unit.at < at && unit.end > at + 1
      const left = unitsOf(isolate, key).filter(isLeft).length
      const claimed = claims.filter((claim) => claim.key === key && claim.isolate === isolate)
      const missing = left - claimed.reduce((sum, { owed }) => sum + owed.units, 0)
      if (missing > 0) fail(`${key}: isolate ${isolate} counts a request and owes ${missing}`)
    }
  }

  return {
    sent(sent) {
      decided.sent(sent)
      const { ask } = sent
      if (ask && unknown.delete(ask)) return
      claims.push(...claimsIn(sent))
      if (ask === undefined || !begun.has(ask)) takes.push(sent)
      if (ask) begun.add(ask)
    },
    executed({ outcomes }) {
      for (const { life, charged: units } of outcomes) {
        if (units > 0) charged.set(life, (charged.get(life) ?? 0) + units)
      }
    },
    unknownHash({ ask }) {
      if (ask) unknown.add(ask)
    },
    rejected(sent, error) {
      if (error.startsWith('NOSCRIPT')) return
      // The store has counted nothing, so the units are owed as before.
      for (const { key, isolate, at, owed } of claimsIn(sent)) {
        const end = at + owed.rest
        for (let index = 0; index < owed.units; index++) {
          const unit = { at: at - owed.age, end, isOwed: false }
          unitsOf(isolate, key).unshift(unit)
        }
      }
    },
    failed(ask, code) {
      if (code === 'timeout') timedOut.add(ask)
    },
    granted(ask, demands, grants) {
      for (const [index, demand] of demands.entries()) {
        const { granted = 0, source, resetIn = 0 } = grants[index] ?? {}
        if (granted === 0) continue
        if (source === 'local') note(ask, keyOf(demand), resetIn)
        else if (source === 'open') note(ask, keyOf(demand), demand.window)
      }
      ended.add(ask)
    },
    settled() {
      // A request that waits for its probe: what it was granted is known when the probe has ended.
      const isKnown = ({ isolate, ask, command }: Claim) =>
        hasBackground(isolate) || ask === undefined || ended.has(ask) || takesUnits(command)
      const settling = claims.filter(isKnown)
      claims = claims.filter((claim) => !isKnown(claim))
      for (const claim of settling) settleClaim(claim)
      for (const take of takes.splice(0)) settleTake(take)
    },
    died: (isolate) => void owing.delete(isolate),
    quiet() {
      for (const [isolate, keys] of owing) {
        // Otherwise the units are charged when the client comes back.
        if (!hasBackground(isolate)) continue
        for (const [key, units] of keys) {
          // A key that the server refused is charged when its client comes back.
          if (server.wasSpoiled(key)) continue
          const left = units.filter(({ end, isOwed }) => isOwed && end > now() + 1)
          if (left.length > 0) fail(`${key}: isolate ${isolate} still owes ${left.length} units`)
        }
      }
      for (const key of server.model.keys()) {
        const life = server.model.life(key)
        if (life === undefined) continue
        const known = lives.admitted(life) + (charged.get(life) ?? 0)
        if (life.count < Math.min(ruleOf(key).limit, known)) {
          fail(`${key}: the store has counted ${life.count} of ${known} that it knows of`)
        }
      }
    },
  }
}

const takesUnits = (command: Command) =>
  command.name === 'INCRBY' || command.demands.some(({ cost, reserve }) => cost + reserve > 0)

const claimsIn = (sent: Sent): readonly Claim[] =>
  sent.command.name === 'INCRBY'
    ? []
    : sent.command.demands.flatMap(({ key, owed }) => (owed ? [{ ...sent, key, owed }] : []))
