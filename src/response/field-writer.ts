import type { PolicyState } from '../limiter/decision.ts'

/** Writes the states of a request's policies in one revision of the rate limit fields. */
export interface FieldWriter {
  /** The fields' names, as `Access-Control-Expose-Headers` lists them. */
  readonly names: readonly string[]
  write(headers: Headers, policies: readonly PolicyState[], tightest: PolicyState): void
}

/** The name of the unnamed policy where one is needed. */
export const DEFAULT_LABEL = 'default'

/** The name of a policy in header fields and problem bodies, where a name is required. */
export const policyLabel = ({ name }: Pick<PolicyState, 'name'>) => name || DEFAULT_LABEL

/** Header fields count in whole seconds, rounded up so that no client retries too early. */
export const toSeconds = (ms: number) => Math.ceil(ms / 1000)
