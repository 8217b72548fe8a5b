/** One app in a process of its own, so that no other's code or garbage slows it; told when to run. */
import { type Round, runRound } from './round.ts'

const [, , name = '', ...args] = process.argv
const { app } = await import(`./${name}.ts`)
const hono = app(...args)

function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

process.on('message', async (round: Round) => {
  const now = round.cpu ? processorTime : undefined
  process.send?.(await runRound(hono, round, undefined, undefined, now))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
