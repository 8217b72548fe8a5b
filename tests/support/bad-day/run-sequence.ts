import { findsRoom, recover } from './recovery.ts'
import type { Sequence, Step } from './step.ts'
import type { Rule } from './watcher.ts'
import { CLIENTS, makeWorld, type World } from './world.ts'

/** Runs a sequence. Throws if an invariant was violated after a step. */
export async function runSequence(
  { setting, steps }: Sequence,
  world: World = makeWorld(setting),
): Promise<void> {
  const every: readonly Step[] = [...steps, { do: 'recover' }]
  for (const [index, step] of every.entries()) {
    await run(world, step)
    await world.time.settle()
    world.assertNothingFailed(index < steps.length ? `step ${index}` : 'the recovery at the end')
  }
  await endWindows(world)
  world.assertNothingFailed('the end of all windows')
}

async function run(world: World, step: Step): Promise<void> {
  const { isolates, rules, scene, time } = world
  const { server } = scene
  switch (step.do) {
    case 'ask': {
      const isolate = pick(isolates, step.isolate)
      const client = pick(CLIENTS, step.client)
      const asked = rulesOf(rules, step.rules)
      for (let n = 0; n < step.count; n++) {
        void world.ask(isolate, client, asked)
        if (step.gap > 0) await time.pass(step.gap)
      }
      return
    }
    case 'wait':
      return time.pass(step.ms)
    case 'fault': {
      const some = step.isolate === 'all' ? isolates : [pick(isolates, step.isolate)]
      for (const { line } of some) line.set(step.fault)
      return
    }
    case 'restart':
      return world.restart(step.isolate % isolates.length)
    case 'evict':
    case 'spoil': {
      const { name: policy } = pick(rules, step.rule)
      return server[step.do](scene.keyOf({ policy, client: pick(CLIENTS, step.client) }))
    }
    case 'flush':
    case 'reboot':
      return server.lose(step.do === 'reboot')
    case 'recover':
      return recover(world)
  }
}

/** All windows end; then every client finds room. */
async function endWindows(world: World): Promise<void> {
  const { rules, scene, time, pending } = world
  const { server, keyOf, fail } = scene
  await time.pass(Math.max(...rules.map(({ window }) => window)) + 5)
  if (pending > 0) fail(`${pending} requests got no decision`)
  for (const client of CLIENTS) {
    for (const rule of rules) {
      const key = keyOf({ policy: rule.name, client })
      const life = server.model.life(key)
      // A key that may lack its expiry gets it now.
      if (server.isSpoiled(key) || (life && life.endsAt === undefined)) continue
      if (!(await findsRoom(world, client, rule))) {
        fail(`${client} is refused by ${rule.name} in a new window`)
      }
    }
  }
}

function pick<Value>(list: readonly Value[], index: number): Value {
  const value = list[index % list.length]
  if (value === undefined) throw new Error('the list is empty')
  return value
}

function rulesOf(rules: readonly Rule[], bits: number): readonly Rule[] {
  const some = rules.filter((_, index) => (bits >> index) & 1)
  return some.length > 0 ? some : rules
}
