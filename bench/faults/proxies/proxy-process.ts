/** Proxies in a process of their own, so that they and the load do not wait for each other. */
import type { Fault } from '../../../tests/support/faults/fault.ts'
import { faultProxy } from '../../../tests/support/faults/fault-proxy.ts'

/** Sets the fault of each proxy, in the order in which they were named. */
export interface SetFaults {
  readonly faults: readonly Fault[]
}

const targets: readonly string[] = process.argv.slice(2)
const proxies = await Promise.all(targets.map((url, index) => faultProxy({ url, seed: index + 1 })))

process.on('message', async ({ faults }: SetFaults) => {
  await Promise.all(proxies.map((proxy, index) => proxy.set(faults[index] ?? { kind: 'none' })))
  process.send?.('set')
})
process.on('disconnect', () => process.exit())
process.send?.(proxies.map(({ url }) => url))
