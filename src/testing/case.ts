import type { Demand, Grant, Store } from '../stores/store.ts'
import { assert } from './assert.ts'
import type { Subject } from './subject.ts'

/** What a case works with: a fresh subject, and a client that no other case counts. */
export interface CaseContext extends Pick<Subject, 'elapse' | 'flush' | 'loseExpiry'> {
  readonly store: Store
  readonly client: string
  /** The window of `demand`, in ms. */
  readonly window: number
  /** A demand for one unit of five. `more` overrides its members. */
  demand(more?: Partial<Demand>): Demand
  /** Takes such a demand. */
  take(more?: Partial<Demand>): Promise<Grant>
}

/** Tests by name. A test throws unless the store behaves as the name states. */
export type Cases = Readonly<Record<string, (context: CaseContext) => Promise<void>>>

export const newClient = (): string => `client-${crypto.randomUUID()}`

/** The default demand of the suite. */
export const demandOf = (client: string, window: number): Demand => ({
  policy: 'conformance',
  client,
  limit: 5,
  window,
  cost: 1,
})

export function caseContext(subject: Subject, window: number): CaseContext {
  const client = newClient()
  const demand = (more?: Partial<Demand>) => ({ ...demandOf(client, window), ...more })
  return {
    store: subject.store,
    elapse: (ms) => subject.elapse(ms),
    flush: () => subject.flush(),
    loseExpiry: () => subject.loseExpiry(),
    client,
    window,
    demand,
    async take(more) {
      const grants = await subject.store.take([demand(more)])
      const [grant] = grants
      assert(grants.length === 1 && grant !== undefined, `${grants.length} grants for one demand`)
      return grant
    },
  }
}
