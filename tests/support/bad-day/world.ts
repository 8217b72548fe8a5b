import type { Decision } from '../../../src/limiter/decision.ts'
import { random } from '../../../src/simulation/random.ts'
import { keyOf, taggedKeyOf } from '../../../src/stores/key.ts'
import { allOf } from './all-of.ts'
import { answers } from './invariants/answers.ts'
import { breakers } from './invariants/breaker.ts'
import { debts } from './invariants/debts.ts'
import { expiry } from './invariants/expiry.ts'
import { lives } from './invariants/lives.ts'
import { localWindows } from './invariants/local-windows.ts'
import { type Isolate, PREFIX, type Surroundings, startIsolate } from './isolate.ts'
import { modelServer } from './server.ts'
import type { Setting } from './step.ts'
import { type VirtualTime, virtualTime } from './virtual-time.ts'
import type { Rule, Scene, Watcher } from './watcher.ts'

/** The clients of the sequences. */
export const CLIENTS = ['a', 'b', 'c']

/** Isolates over one server, and what watches them. */
export interface World {
  readonly setting: Setting
  readonly rules: readonly Rule[]
  readonly isolates: readonly Isolate[]
  readonly time: VirtualTime
  readonly scene: Scene
  readonly watcher: Required<Watcher>
  /** Requests that have no decision yet. */
  readonly pending: number
  /** A request of a client. An error that it throws is a violation. */
  ask(isolate: Isolate, client: string, rules: readonly Rule[]): Promise<Decision | undefined>
  /** A request of a client that nobody knows. Returns whether the store has answered it. */
  contact(isolate: Isolate): Promise<boolean>
  /** Ends the isolate in a slot, and starts another one there. */
  restart(slot: number): void
  /** Throws if an invariant was violated. */
  assertNothingFailed(when: string): void
}

/**
 * Makes the isolates of a setting, their server, and the watchers of all invariants.
 *
 * @param more further watchers, such as one that prints what happens
 */
export function makeWorld(setting: Setting, more: readonly Watcher[] = []): World {
  const { cluster, timeout, seed } = setting
  const rules = setting.rules.map((rule, index): Rule => ({ ...rule, name: `p${index}` }))
  const violations: string[] = []
  const { next } = random(seed, 'bad day')
  const toKey = cluster ? taggedKeyOf : keyOf
  const ruleByKey = new Map<string, Rule>()
  const time = virtualTime(() => watcher.settled())
  const server = modelServer(time.now)
  const isolates: Isolate[] = []
  let contacts = 0
  let started = 0
  let pending = 0

  const scene: Scene = {
    now: time.now,
    server,
    timeout,
    keyOf: (demand) => toKey(PREFIX, demand),
    ruleOf(key) {
      const rule = ruleByKey.get(key)
      if (rule === undefined) throw new Error(`nobody knows the key ${key}`)
      return rule
    },
    hasBackground: (id) => optionsById.get(id)?.host !== 'bare',
    fail: (message) => void violations.push(message),
  }
  const optionsById = new Map<number, (typeof setting.isolates)[number]>()
  const ofLives = lives(scene)
  const watcher = allOf([
    ...more,
    ofLives,
    localWindows(scene),
    debts(scene, ofLives),
    answers(scene),
    breakers({
      ...scene,
      breakerOf: (id) => (!optionsById.get(id)?.breaker ? 'none' : cluster ? 'many' : 'one'),
    }),
    expiry(scene),
  ])
  const around: Surroundings = { scene, time, watcher, rules, cluster, random: next }

  function start(slot: number): void {
    const options = setting.isolates[slot]
    if (options === undefined) return
    optionsById.set(started, options)
    isolates[slot] = startIsolate(started++, options, around)
  }
  for (const slot of setting.isolates.keys()) start(slot)

  function remember(client: string): void {
    for (const rule of rules) {
      const key = scene.keyOf({ policy: rule.name, client })
      ruleByKey.set(key, rule)
    }
  }
  for (const client of CLIENTS) remember(client)

  async function ask(isolate: Isolate, client: string, asked: readonly Rule[]) {
    pending++
    try {
      return await isolate.ask(client, asked)
    } catch (error) {
      scene.fail(`check threw ${error}`)
      return undefined
    } finally {
      pending--
    }
  }

  return {
    setting,
    rules,
    isolates,
    time,
    scene,
    watcher,
    get pending() {
      return pending
    },
    ask,
    async contact(isolate) {
      const client = `contact-${contacts++}`
      remember(client)
      const decision = await ask(isolate, client, rules)
      return decision !== undefined && !decision.degraded
    },
    restart(slot) {
      isolates[slot]?.die()
      start(slot)
    },
    assertNothingFailed(when) {
      if (violations.length > 0) throw new Error(`after ${when}: ${violations.join('; ')}`)
    },
  }
}
