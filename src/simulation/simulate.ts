import { agenda } from './agenda.ts'
import { books } from './books.ts'
import { demand } from './demand.ts'
import { type Figures, figures } from './figures.ts'
import { fleet, START } from './fleet.ts'
import type { MakeRule } from './isolate.ts'
import type { Scenario } from './scenario.ts'

/** How many events happen between two looks at what else the process has to do. */
const STRETCH = 50_000

/** Runs one rule in one world. The same scenario gives the same figures, always and everywhere. */
export async function simulate(scenario: Scenario, makeRule: MakeRule): Promise<Figures> {
  const { limit, window } = scenario
  const time = agenda()
  const account = books(limit)
  const now = () => Math.floor(START + time.now())
  const rule = makeRule({ limit, window, now, books: account })
  const isolates = fleet(scenario, time, account, rule)
  demand(scenario, time, isolates.arrive)
  for (let events = 1; time.step(); events++) {
    if (!isolates.idle) await isolates.settle()
    if (events % STRETCH === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return figures(scenario, account, rule.billed(), isolates.calls)
}
