/**
 * Billed commands of one client that makes 20 requests in a window, one after the other, in one
 * isolate; then of requests that are refused.
 */
import type { Backend } from '../backend/backend.ts'
import { rivals } from '../contestants/all.ts'
import type { Contestant } from '../contestants/contestant.ts'
import { strict } from '../contestants/tidegate.ts'
import { inTurn } from '../measure/in-turn.ts'
import { premise } from '../measure/premise.ts'
import type { Outcome } from '../outcome.ts'

const REQUESTS = 20
/** Long, so that no window that is aligned to the clock ends meanwhile. */
const WINDOW = 3_600_000

export async function commands(backend: Backend): Promise<Outcome> {
  const figures: Record<string, Commands> = {}
  for (const contestant of [strict, ...rivals]) {
    figures[contestant.name] = await measure(backend, contestant)
  }
  const ours = figures[strict.name]?.['commands for 20 requests'] ?? Number.NaN
  return {
    figures,
    rows: [
      {
        measure: 'billed commands, one client making 20 requests in a window, strict',
        rivals: rivals
          .map(({ name, short }) => `${figures[name]?.['commands for 20 requests']} ${short}`)
          .join(' · '),
        target: '≤ 22',
        tidegate: `${ours}`,
        met: ours <= 22,
      },
    ],
  }
}

type Commands = Record<
  'commands for 20 requests' | 'commands per request' | 'commands per refusal, from the second on',
  number
>

async function measure(backend: Backend, contestant: Contestant): Promise<Commands> {
  const { name, atomic } = contestant
  await backend.empty()
  const limited = await contestant.limit(backend.near, { limit: REQUESTS, window: WINDOW })
  // On a server that has run for a while the scripts are known, and so is the server to the isolate.
  for (let i = 0; i < 3; i++) await limited.check('somebody-else')
  await backend.empty()

  const ask = () => limited.check('client')
  const allowed = await backend.count(() => inTurn(REQUESTS, ask))
  premise(
    allowed.result.every((answer) => answer.allowed),
    `${name} allows ${REQUESTS}`,
  )
  const counted = await backend.counted()
  premise(counted === REQUESTS, `${name} counts ${REQUESTS} requests in Redis`, counted)
  const first = await ask()
  premise(!first.allowed, `${name} refuses the request beyond the limit`)
  const refused = await backend.count(() => inTurn(10, ask))
  premise(
    refused.result.every((answer) => !answer.allowed),
    `${name} goes on refusing`,
  )
  if (atomic) {
    const other = await backend.count(() => limited.check('another'))
    premise(other.result.allowed && other.commands > 0, `${name} asks Redis about another client`)
  }
  await limited.stop?.()
  return {
    'commands for 20 requests': allowed.commands,
    'commands per request': allowed.commands / REQUESTS,
    'commands per refusal, from the second on': refused.commands / 10,
  }
}
