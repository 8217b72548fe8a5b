import type { Place } from '../../backend/backend.ts'
import { startProgram } from '../../measure/program.ts'
import type { BadDay } from '../faults.ts'
import { ISOLATES, type StorePlace } from '../quota.ts'

/** A store that each isolate reaches through a proxy of its own. */
export interface Proxies {
  /** Where each isolate finds the store. */
  readonly places: readonly StorePlace[]
  begin(day: BadDay): Promise<void>
  end(): Promise<void>
  stop(): Promise<void>
}

export async function startProxies({ url, token, redisUrl }: Place): Promise<Proxies> {
  const isolates = Array.from({ length: ISOLATES })
  const targets = [...isolates.map(() => url), ...isolates.map(() => redisUrl)]
  const file = new URL('proxy-process.ts', import.meta.url)
  const { program, said } = await startProgram(file, targets)
  const urls = said as readonly string[]
  return {
    places: isolates.map((_, index) => ({
      url: urls[index] ?? '',
      redisUrl: urls[ISOLATES + index] ?? '',
      token,
    })),
    async begin({ http, tcp, isFirstIsolateOnly }) {
      const met = isolates.map((_, index) => index === 0 || !isFirstIsolateOnly)
      const none = { kind: 'none' }
      const faults = [...met.map((is) => (is ? http : none)), ...met.map((is) => (is ? tcp : none))]
      await program.ask({ faults })
    },
    async end() {
      await program.ask({ faults: [] })
    },
    stop: () => program.stop(),
  }
}
