/**
 * A process of its own that asks about a million different clients, and then says how much more
 * heap it holds than before the first. Needs --expose-gc.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { address } from '../measure/address.ts'
import type { Subject } from './subject.ts'

const [, , name = '', clients = ''] = process.argv
const { subject } = (await import(`./${name}.ts`)) as { subject: () => Subject }
const { ask, prove } = subject()

const before = await heapUsed()
for (let i = 0; i < Number(clients); i++) await ask(address(i))
const after = await heapUsed()
// Asked only now, so that nothing was let go before it was weighed.
const proof = await prove(address(0), address(Number(clients) - 1))
process.on('disconnect', () => process.exit())
process.send?.({ held: after - before, proof })

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await turn()
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}
