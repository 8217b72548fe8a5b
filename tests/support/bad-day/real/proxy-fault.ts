import type { Fault as ProxyFault } from '../../faults/fault.ts'
import type { Fault } from '../fault.ts'
import type { Backend } from './backend.ts'

/** The fault of a proxy that does what a fault of the model does. */
export function proxyFault(fault: Fault, protocol: Backend['protocol']): ProxyFault {
  switch (fault.kind) {
    case 'none':
    case 'refuse':
      return { kind: fault.kind }
    case 'hang':
      return { kind: 'hang', afterwards: fault.afterwards === 'run' ? 'pass' : 'drop' }
    case 'slow':
      return { kind: 'slow', delay: fault.ms, holds: fault.holds }
    case 'lost':
      return { kind: 'reset' }
    case 'garbage':
      return fault.runs ? { kind: 'cut' } : { kind: 'garbage' }
    case 'error': {
      if (protocol === 'redis') return { kind: 'error', text: fault.text }
      return { kind: 'status', status: 500, body: JSON.stringify({ error: fault.text }) }
    }
    case 'some': {
      const inner = proxyFault(fault.fault, protocol)
      return inner.kind === 'flap' ? inner : { kind: 'some', share: 1 / fault.nth, fault: inner }
    }
  }
}
