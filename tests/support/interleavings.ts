/** One thing that may happen next. */
export interface Step {
  /** Names the step in a path; those of one name are one step. */
  readonly name: string
  /** What the step may change. Two steps commute if neither changes what the other uses. */
  readonly changes: readonly string[]
  /** What else the step reads. */
  readonly reads?: readonly string[]
  run(): void
}

/** Something that can be brought into the same state again and again. */
export interface World {
  /** The steps that may happen now. An empty list: the path has ended. */
  steps(): readonly Step[]
  /** Called when the path has ended. Throws if the path violated an invariant. */
  check(): Promise<void> | void
}

/**
 * Walks every order in which a world's steps can happen; of orders that differ only in independent
 * steps it walks one (sleep sets: P. Godefroid, Partial-Order Methods for the Verification
 * of Concurrent Systems, Springer 1996). Worlds cannot be copied, so each path repeats its
 * beginning in a fresh one. Returns how many paths there were.
 */
export async function everyInterleaving(makeWorld: () => Promise<World>): Promise<number> {
  let paths = 0
  await walk(await makeWorld(), [], [])
  return paths

  async function walk(world: World, path: readonly string[], asleep: readonly Step[]) {
    const enabled = world.steps()
    if (enabled.length === 0) {
      paths++
      await Promise.resolve(world.check()).catch((error: unknown) => {
        throw new Error(`after ${path.join(', ')}: ${error}`, { cause: error })
      })
      return
    }
    const tried: Step[] = []
    for (const { name } of enabled) {
      if (asleep.some((step) => step.name === name)) continue
      const here = tried.length === 0 ? world : await replay(path)
      const step = await take(here, name)
      const idle = [...asleep, ...tried].filter(
        (other) => !meddles(other, step) && !meddles(step, other),
      )
      await walk(here, [...path, name], idle)
      tried.push(step)
    }
  }

  async function replay(path: readonly string[]): Promise<World> {
    const world = await makeWorld()
    for (const name of path) await take(world, name)
    return world
  }
}

async function take(world: World, name: string): Promise<Step> {
  const step = world.steps().find((step) => step.name === name)
  if (step === undefined) throw new Error(`the world is not the same twice: no ${name}`)
  step.run()
  // Runs everything that follows from the step alone.
  await new Promise((resolve) => setImmediate(resolve))
  return step
}

const meddles = (a: Step, b: Step) =>
  a.changes.some((thing) => b.changes.includes(thing) || b.reads?.includes(thing))
