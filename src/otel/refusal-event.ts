import type { Attributes } from '@opentelemetry/api'
import type { DecisionEvent } from '../limiter/decision-event.ts'
import { policyLabel } from '../response/field-writer.ts'

/** The attributes of a span's event `tidegate.refused`. Names the client only if the event does. */
export function refusalAttributes({ outcomes, source, retryIn }: DecisionEvent): Attributes {
  const refused = outcomes.filter((outcome) => outcome.refused)
  const clients = [...new Set(refused.flatMap(({ client = [] }) => client))]
  return {
    'tidegate.policies': refused.map(({ policy }) => policyLabel({ name: policy })),
    'tidegate.source': source,
    'tidegate.retry_in': retryIn,
    ...(clients.length > 0 && { 'tidegate.clients': clients }),
  }
}
