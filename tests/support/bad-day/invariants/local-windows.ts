import type { Life } from '../../../../src/simulation/life.ts'
import type { Fallback } from '../../../../src/stores/guard-options.ts'
import type { Grant } from '../../../../src/stores/store.ts'
import { keysOf } from '../command.ts'
import { decisionTimes } from '../decision-times.ts'
import { KNOWN_ISSUES } from '../known-issues.ts'
import type { Outcome } from '../outcome.ts'
import type { Ask, Executed, Scene, Watcher } from '../watcher.ts'

/** How far clocks may drift apart, and what they round off (src/isolate/observed-window.ts). */
const DRIFT = 1 / 1000
const CLOCKS_MS = 2

/** What the store has shown an isolate of a key. */
interface Seen {
  readonly life: Life
  used: number
  /** When the life ends, as the isolate was told. */
  end: number
}

/** A window in which an isolate decides alone. */
interface Local {
  readonly since: number
  /** The life that it continues, if it continues one. */
  readonly base: Life | undefined
  end: number
  /** Units that the isolate may still grant. */
  room: number
  /** The most requests that were under way at one time. Their units may have been shown, or not. */
  underWay: number
}

interface Knowledge {
  seen: Seen | undefined
  local: Local | undefined
  /** When units were granted here. */
  readonly grants: number[]
  /** When the store has granted units. */
  readonly counted: number[]
  /** When the last call was sent that charged them. */
  chargedAt: number
  /** The most units used that an answer has shown, and when. */
  most: { used: number; at: number }[]
}

/**
 * While the store is away, an isolate grants in each of its own windows at most `limit − last seen`
 * of a key, or the policy's share of it. It refuses nobody whom that leaves a unit.
 */
export function localWindows(scene: Scene): Watcher {
  const { now, server, ruleOf, keyOf, fail, hasBackground } = scene
  const decided = decisionTimes(now, hasBackground)
  const known = new Map<number, Map<string, Knowledge>>()
  /** The last answer in the name of a request, by key. */
  const lastOf = new WeakMap<Ask, Map<string, Outcome>>()

  /** Requests that are not decided, by isolate and key. */
  const waiting = new Map<string, Set<Ask>>()
  const pending = (isolate: number, key: string) => waiting.get(`${isolate} ${key}`)?.size ?? 0
  /** The most of them at this moment. */
  const peaks = new Map<string, number>()

  /** Whether the store would refuse a request, or would have until it lost the key. */
  function isExhausted(key: string): boolean {
    const { count = 0 } = server.model.life(key) ?? {}
    return count >= ruleOf(key).limit || now() <= server.lostUntil(key)
  }

  const ended = new WeakSet<Ask>()
  /** What answers have shown that came at this moment. Whether the isolate has read them is unknown. */
  const unread: (() => void)[] = []
  const refusals: (() => void)[] = []

  function knowledgeOf(isolate: number, key: string): Knowledge {
    const keys = known.get(isolate) ?? new Map<string, Knowledge>()
    known.set(isolate, keys)
    const one = keys.get(key) ?? newKnowledge()
    keys.set(key, one)
    return one
  }

  /**
   * The store has shown units used in a life that ends at `end`.
   *
   * @param chargedAt when the call was sent, if it charged what the isolate owed until then
   */
  function see(
    one: Knowledge,
    { key, life, used }: Outcome,
    end: number,
    chargedAt?: number,
  ): void {
    const { seen, local } = one
    if (seen?.life === life) {
      seen.used = Math.max(seen.used, used)
      seen.end = Math.min(seen.end, end)
    } else if (seen === undefined || server.begin(life) >= server.begin(seen.life)) {
      one.seen = { life, used, end }
    } else {
      // An answer about an earlier life, overtaken by one about a later.
      return
    }
    if (chargedAt !== undefined) one.chargedAt = chargedAt
    if (local === undefined) return
    if (local.since === now()) {
      // Whether this answer or the first grant came first is unknown.
      const { limit, fallback } = ruleOf(key)
      const granted = one.grants.filter((at) => at === local.since).length
      local.room = Math.max(local.room, roomOf(fallback, limit - used) - granted)
      return
    }
    if (chargedAt !== undefined) {
      // Which of several own units are among those that were shown cannot be told.
      if (one.grants.every((at) => at <= chargedAt)) one.local = undefined
    } else if (local.base !== life && server.begin(life) > local.since) {
      one.local = undefined
    }
  }

  function grant(key: string, ask: Ask, fallback: Fallback, resetIn: number): void {
    const { isolate } = ask
    const one = knowledgeOf(isolate, key)
    const { limit } = ruleOf(key)
    const time = decided.of(ask)
    const end = time + resetIn
    one.grants.push(time)
    // Its probe has been answered, and so it is among the units that were shown.
    if (time < now() && time <= one.chargedAt) return
    const seen = one.seen && time < one.seen.end ? one.seen : undefined
    if (one.local === undefined || time >= one.local.end) {
      const hidesSeen = KNOWN_ISSUES.endedCounts && one.grants.some((at) => at < time)
      const room = roomOf(fallback, limit - (hidesSeen ? 0 : (seen?.used ?? 0)))
      one.local = { since: time, base: seen?.life, end, room, underWay: 0 }
    }
    const { local } = one
    local.underWay = Math.max(local.underWay, pending(isolate, key))
    local.end = Math.min(local.end, end)
    local.room--
    if (local.room + local.underWay < 0) {
      fail(`${key}: isolate ${isolate} grants more than it had not seen used`)
    }
  }

  /**
   * An isolate may refuse what does not fit the units that it has seen used and those that were
   * granted in its window, here or by the store, or may yet be.
   */
  function refuse(key: string, { isolate }: Ask, fallback: Fallback): void {
    const { limit, window } = ruleOf(key)
    const one = knowledgeOf(isolate, key)
    const from = now() - window - 1
    const isRecent = (at: number) => at >= from
    one.most = one.most.filter(({ at }) => isRecent(at))
    const used = Math.max(0, ...one.most.map((shown) => shown.used))
    const here = one.grants.filter(isRecent).length
    const there = one.counted.filter(isRecent).length
    const granted = here + (here > 0 ? there + (peaks.get(`${isolate} ${key}`) ?? 0) : 0)
    if (granted < roomOf(fallback, limit - used)) {
      fail(`${key}: isolate ${isolate} refuses with ${used} used and ${granted} granted here`)
    }
  }

  return {
    sent(sent) {
      decided.sent(sent)
      if (sent.ask === undefined || ended.has(sent.ask)) return
      for (const key of keysOf(sent.command)) {
        const name = `${sent.isolate} ${key}`
        waiting.set(name, (waiting.get(name) ?? new Set<Ask>()).add(sent.ask))
      }
    },
    answered({ isolate, ask, at, command, outcomes }: Executed) {
      for (const key of keysOf(command)) {
        if (outcomes.some((outcome) => outcome.key === key)) continue
        // No window is open.
        unread.push(() => {
          knowledgeOf(isolate, key).seen = undefined
        })
      }
      for (const outcome of outcomes) {
        const { key, used, resetIn, demand } = outcome
        const one = knowledgeOf(isolate, key)
        one.most.push({ used, at: now() })
        if (ask) lastOf.set(ask, (lastOf.get(ask) ?? new Map<string, Outcome>()).set(key, outcome))
        if (resetIn === undefined) continue
        const [end, chargedAt] = [now() + resetIn, demand?.owed ? at : undefined]
        const isOver = at + resetIn * (1 - DRIFT) - CLOCKS_MS <= now()
        unread.push(() => {
          see(one, outcome, end, chargedAt)
          // The window may have ended since the server answered, so the isolate need not keep it.
          if (isOver) one.seen = undefined
        })
      }
    },
    granted(ask, demands, grants) {
      ended.add(ask)
      for (const [index, demand] of demands.entries()) {
        const key = keyOf(demand)
        const name = `${ask.isolate} ${key}`
        peaks.set(name, Math.max(peaks.get(name) ?? 0, pending(ask.isolate, key)))
        waiting.get(name)?.delete(ask)
        const told: Grant | undefined = grants[index]
        if (told === undefined) continue
        const { granted, source = 'store', resetIn, retryIn, unseen } = told
        const { fallback } = ruleOf(key)
        if (source === 'store' && !unseen) {
          const last = lastOf.get(ask)?.get(key)
          const [one, end] = [knowledgeOf(ask.isolate, key), now() + resetIn]
          // Once a key was lost, an isolate may not tell whose units a plain count has shown.
          const isKnown = last?.demand === undefined && server.lostUntil(key) === 0
          if (last && isKnown) unread.push(() => see(one, last, end))
        }
        if (source === 'store' && granted > 0) knowledgeOf(ask.isolate, key).counted.push(now())
        if (source === 'local' && granted > 0) grant(key, ask, fallback, resetIn)
        // Where requests wait for probes, what was granted meanwhile is not known yet.
        if (granted > 0 || retryIn <= 0 || !hasBackground(ask.isolate)) continue
        // What was granted at this moment may be noted after it.
        if (source === 'local') refusals.push(() => refuse(key, ask, fallback))
        else if (source === 'known' && !isExhausted(key)) {
          refusals.push(() => refuse(key, ask, 'local'))
        }
      }
    },
    settled() {
      for (const read of unread.splice(0)) read()
      for (const check of refusals.splice(0)) check()
      peaks.clear()
    },
    died: (isolate) => void known.delete(isolate),
  }
}

const newKnowledge = (): Knowledge => ({
  seen: undefined,
  local: undefined,
  grants: [],
  counted: [],
  chargedAt: Number.NEGATIVE_INFINITY,
  most: [],
})

/** How many of the units that were not seen used an isolate grants. */
function roomOf(fallback: Fallback, unseen: number): number {
  const share = typeof fallback === 'object' ? fallback.local : 1
  return Math.min(unseen, Math.max(1, Math.floor(unseen * share)))
}
