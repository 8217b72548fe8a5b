import { NO_FAULT } from './fault.ts'
import type { Rule } from './watcher.ts'
import type { World } from './world.ts'

/** In ms: how long a call can be held up, and how long healing takes after a look that was too early. */
const HELD_MS = 4000
const HEALING_MS = 6000

/** In ms: the longest pause between two probes, and a probe that gets no answer. */
const RECOVERY_MS = 37_000

/** Ends all faults. Every isolate gets requests until the store has answered it. */
export async function recover(world: World): Promise<void> {
  const { isolates, setting, time, scene, watcher, contact } = world
  const { cluster } = setting
  for (const { line } of isolates) line.set(NO_FAULT)
  const waiting = new Set(isolates)
  const from = time.now()
  // In a cluster each client has a breaker of its own.
  const traffic = cluster ? RECOVERY_MS : 0
  while (waiting.size > 0 || time.now() - from < traffic) {
    for (const isolate of isolates) {
      void contact(isolate).then((isAnswered) => isAnswered && waiting.delete(isolate))
    }
    await time.pass(cluster ? 1500 : 500)
    await time.settle()
    if (time.now() - from <= RECOVERY_MS + 2000) continue
    scene.fail(`isolates ${[...waiting].map(({ id }) => id)} do not see that the store is back`)
    return
  }
  await time.pass(HELD_MS)
  // Traffic goes on: what ends at the moment of an answer is noticed at the next one, and a debt that
  // is made while the background works is charged after it.
  for (let n = 0; n < 2; n++) {
    for (const isolate of isolates) void contact(isolate)
    await time.pass(HEALING_MS)
  }
  await time.settle()
  watcher.quiet()
}

/**
 * Whether a request of a client is allowed. Where each client has a breaker of its own, the first
 * may be refused by a policy that is closed, until one of them has probed the store.
 */
export async function findsRoom(world: World, client: string, rule: Rule): Promise<boolean> {
  const { isolates, setting, time, ask } = world
  const [first] = isolates
  const until = time.now() + (setting.cluster ? RECOVERY_MS : 0)
  do {
    const deciding = first && ask(first, client, [rule])
    await time.pass(setting.timeout)
    if ((await deciding)?.allowed) return true
  } while (time.now() < until)
  return false
}
