/** One app in a process of its own, so that no other's code or garbage slows it; told when to run. */
import { type Round, runRound } from './round.ts'

const [, , name = ''] = process.argv
const { app } = await import(`./${name}.ts`)
const hono = app()

process.on('message', async (round: Round) => process.send?.(await runRound(hono, round)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
