import type { PolicyState } from '../limiter/decision.ts'

/** Writes what the policies say of a request into the fields of one revision. */
export interface FieldWriter {
  /** The fields' names, as `Access-Control-Expose-Headers` lists them. */
  readonly names: readonly string[]
  write(headers: Headers, policies: readonly PolicyState[], tightest: PolicyState): void
}

/** What policies are called where a name is needed. */
export const nameOf = ({ name }: Pick<PolicyState, 'name'>) => name || 'default'

/** Header fields count in whole seconds, rounded up so that nobody comes back early. */
export const seconds = (ms: number) => Math.ceil(ms / 1000)
