import type { Decision } from '../../../../src/limiter/decision.ts'
import type { Demand } from '../../../../src/stores/store.ts'
import { pause } from '../../pause.ts'
import { NO_FAULT } from '../fault.ts'
import type { Rule } from '../watcher.ts'
import { newAccount } from './account.ts'
import type { Backend } from './backend.ts'
import { type RealIsolate, startRealIsolate } from './isolate.ts'
import { type RealSequence, type RealStep, TIMEOUT } from './sequences.ts'
import { watchStalls } from './stalls.ts'

/** In ms: what a check may take beside its wait for the store. */
const REST_MS = 100
/** In ms: how long isolates may take to see that the server is back, after some seconds. */
const RECOVERY_MS = 10_000
/** In ms: from it on, a window is not expected to end in a sequence. */
const LASTING_MS = 30_000

/** What is left to look at when keys have been healed a second time. */
export interface Leftover {
  /** The promises that were broken. */
  readonly violations: string[]
  /** Demands whose keys must have an expiry then. */
  readonly demands: readonly Demand[]
  stop(): Promise<void>
}

/** Runs a sequence over real servers, until they answer every isolate again. */
export async function runReal(
  backend: Backend,
  sequence: RealSequence,
  name: string,
): Promise<Leftover> {
  const { rules } = sequence
  const account = newAccount(rules)
  const violations: string[] = []
  const isolates: RealIsolate[] = []
  const clients = ['a', 'b'].map((client) => `${name}-${client}`)
  const waiting = new Set<Promise<void>>()
  const stalls = watchStalls()
  let started = 0
  let contacts = 0
  let hasRestarted = false

  async function start(slot: number): Promise<void> {
    const isolate = sequence.isolates[slot]
    if (isolate === undefined) return
    const options = { ...isolate, timeout: TIMEOUT }
    let isAway = false
    const id = started++
    isolates[slot] = await startRealIsolate(id, backend, rules, options, account, (type) => {
      if (type === 'failed') return
      if (isAway === (type === 'away')) violations.push(`isolate ${id} reports ${type} twice`)
      isAway = type === 'away'
    })
  }

  async function ask(isolate: RealIsolate, client: string, asked: readonly Rule[]) {
    const [since, stalled] = [performance.now(), stalls.total]
    try {
      const decision = await isolate.check(client, asked)
      const took = performance.now() - since - (stalls.total - stalled)
      violations.push(...wrongIn(decision, asked, took))
      return decision
    } catch (error) {
      violations.push(`check threw ${error}`)
      return undefined
    }
  }

  async function take(step: RealStep): Promise<void> {
    switch (step.do) {
      case 'ask': {
        const isolate = pick(isolates, step.isolate)
        const some = rules.filter((_, index) => (step.rules >> index) & 1)
        const asked = some.length > 0 ? some : rules
        for (let n = 0; n < step.count; n++) {
          const asking = ask(isolate, pick(clients, step.client), asked).then(() => {
            waiting.delete(asking)
          })
          waiting.add(asking)
          if (step.gap > 0) await pause(step.gap)
        }
        return
      }
      case 'wait':
        return pause(step.ms)
      case 'fault': {
        const some = step.isolate === 'all' ? isolates : [pick(isolates, step.isolate)]
        await Promise.all(some.map((isolate) => isolate.set(step.fault)))
        return
      }
      case 'restart': {
        const slot = step.isolate % isolates.length
        hasRestarted = true
        await pick(isolates, slot).stop()
        return start(slot)
      }
      case 'evict': {
        const demand = demandOf(pick(rules, step.rule), pick(clients, step.client))
        account.lost(demand)
        return backend.lose(demand)
      }
    }
  }

  async function recover(isolate: RealIsolate): Promise<void> {
    await isolate.set(NO_FAULT)
    const until = performance.now() + RECOVERY_MS
    for (let decision: Decision | undefined; decision?.degraded !== false; ) {
      if (performance.now() > until) {
        violations.push('an isolate does not see that the server is back')
        return
      }
      decision = await ask(isolate, `${name}-contact-${contacts++}`, rules)
      await pause(50)
    }
  }

  for (const slot of sequence.isolates.keys()) await start(slot)
  for (const step of sequence.steps) await take(step)
  await Promise.all(isolates.map(recover))
  await Promise.all(waiting)
  // Until what is owed has been charged.
  await pause(TIMEOUT)
  if (rules.every(({ window }) => window >= LASTING_MS)) {
    violations.push(...(await account.violations(backend.used)))
  }
  return {
    violations,
    // What ends with its isolate is found by the next request of its client.
    demands: hasRestarted ? [] : account.keys.map(({ demand }) => demand),
    async stop() {
      stalls.stop()
      for (const isolate of isolates) await isolate.stop()
    },
  }
}

function wrongIn(decision: Decision, rules: readonly Rule[], took: number): readonly string[] {
  const { allowed, source, degraded, retryIn } = decision
  const wrong: string[] = []
  const longest = Math.max(...rules.map(({ window }) => window))
  if (took > TIMEOUT + REST_MS) wrong.push(`a check took ${Math.round(took)} ms`)
  if (source === 'closed' && !rules.some(({ fallback }) => fallback === 'closed')) {
    wrong.push('a 503 without a closed policy')
  }
  if (degraded !== ['local', 'open', 'closed'].includes(source)) wrong.push(`${source}: degraded`)
  if (!allowed && retryIn <= 0) wrong.push(`a refusal by ${source} without a time to come back`)
  if (retryIn > longest + TIMEOUT + 2) wrong.push(`${source}: to come back in ${retryIn} ms`)
  return wrong
}

const demandOf = ({ name: policy, limit, window }: Rule, client: string): Demand => ({
  policy,
  client,
  limit,
  window,
  cost: 1,
})

function pick<Value>(list: readonly Value[], index: number): Value {
  const value = list[index % list.length]
  if (value === undefined) throw new Error('the list is empty')
  return value
}
