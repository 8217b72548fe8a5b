import { CLIENT, DECIDED, LEFT } from '../quota.ts'
import { keptConnections } from './connections.ts'

/** One request, as its visitor sees it. */
export interface Visit {
  /** When it was sent, by `performance.now()`. */
  readonly sentAt: number
  readonly ms: number
  /** 0 if no answer came. */
  readonly status: number
  /** Whether the limiter says that its store has decided. */
  readonly isByStore: boolean
  /** What the limiter says is left. */
  readonly left: number | undefined
}

export interface Visitors {
  visit(url: string, client: string): Promise<Visit>
  stop(): void
}

/** How long a visitor waits for an answer. */
export const PATIENCE_MS = 10_000

const STATUS = /^HTTP\/1\.1 (\d+)/
const BY_STORE = new RegExp(`^${DECIDED}: store`, 'im')
const UNITS_LEFT = new RegExp(`^${LEFT}: (\\d+)`, 'im')

export function visitors(): Visitors {
  const connections = keptConnections(PATIENCE_MS)
  return {
    async visit(url, client) {
      const sentAt = performance.now()
      const head = (await connections.get(url, `${CLIENT}: ${client}`)) ?? ''
      const left = UNITS_LEFT.exec(head)?.[1]
      return {
        sentAt,
        ms: performance.now() - sentAt,
        status: Number(STATUS.exec(head)?.[1] ?? 0),
        isByStore: BY_STORE.test(head),
        left: left === undefined ? undefined : Number(left),
      }
    },
    stop: () => connections.stop(),
  }
}
