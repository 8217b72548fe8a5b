import { detectPlatform, type Environment, processEnv, rawVariable } from '../environment.ts'
import { policyLabel } from '../response/field-writer.ts'
import type { Demand, Store } from '../stores/store.ts'

/** Whether to log the choices: the option `debug`, otherwise the variable `TIDEGATE_DEBUG`. */
export function isDebugging(debug: boolean | undefined, env: object | undefined): boolean {
  const isSet = (variables: object) =>
    /^(?:1|true)$/.test(`${rawVariable(variables as Environment, 'TIDEGATE_DEBUG')}`)
  return debug ?? [env ?? {}, processEnv()].some(isSet)
}

/** Logs which store, platform and clients were chosen. Shows a client as the store sees it. */
export function logChoices({ label = 'without a label' }: Store, demands: readonly Demand[]) {
  const clients = demands.map(
    ({ policy, client }) => `${client} (policy ${policyLabel({ name: policy })})`,
  )
  console.info(
    `tidegate: store: ${label}; platform: ${detectPlatform()}; first client: ${clients.join(', ')}`,
  )
}
