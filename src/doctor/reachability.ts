import type { CheckContext } from './context.ts'
import { failureOf } from './failure.ts'
import { PROBE_WINDOW_MS } from './probe-target.ts'
import { remedyFor } from './remedy.ts'
import type { Finding } from './report.ts'

/** Whether the store answers and accepts the credentials. If not, no other check can run. */
export async function checkReachability(context: CheckContext): Promise<readonly Finding[]> {
  const { command, take } = context.target
  try {
    if (command) await command(['PING'])
    else await take({ policy: 'doctor-reach', limit: 1, cost: 0, window: PROBE_WINDOW_MS })
    return [answers, ...(command ? [authenticated] : [])]
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind === 'forbidden') return [answers, authenticated]
    if (failure.kind === 'unauthorized') return [answers, notAuthenticated(context)]
    const says =
      failure.kind === 'timeout'
        ? `The store hangs: ${failure.message}. Nothing else was checked.`
        : failure.kind === 'refused'
          ? `The store answers with an error: ${failure.message}. Nothing else was checked.`
          : `The store cannot be reached: ${failure.message}. Nothing else was checked.`
    return [{ check: 'reachability', level: 'failure', says, remedy: remedyFor(failure) }]
  }
}

const answers: Finding = { check: 'reachability', level: 'ok', says: 'The store answers.' }

const authenticated: Finding = {
  check: 'authentication',
  level: 'ok',
  says: 'The store accepts the credentials.',
}

function notAuthenticated({ protocol }: CheckContext): Finding {
  if (protocol === 'redis') {
    return {
      check: 'authentication',
      level: 'failure',
      says: 'The server rejects this user and password, or the URL has none and the server requires them.',
      remedy: 'Correct the user and password in the URL: redis://user:password@host:port.',
    }
  }
  return {
    check: 'authentication',
    level: 'failure',
    says: 'The store rejects this token.',
    remedy:
      'Copy the URL and token of the same database from its console, or those of the same gateway. A token that was rotated no longer works.',
  }
}

/** Whether the connection is encrypted. */
export function checkTransport({ address }: CheckContext): readonly Finding[] {
  if (address === undefined) return []
  const check = 'tls'
  if (/^(?:https|rediss):$/.test(address.protocol)) {
    return [{ check, level: 'ok', says: 'The connection is encrypted (TLS).' }]
  }
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(address.hostname)) {
    return [
      {
        check,
        level: 'ok',
        says: 'The connection is not encrypted, but does not leave this machine.',
      },
    ]
  }
  const secure = /^redis/.test(address.protocol) ? 'rediss://' : 'https://'
  return [
    {
      check,
      level: 'warning',
      says: 'The connection is not encrypted: anybody on the network path can read the token or password, and change counts.',
      remedy: `Use ${secure}, and turn on TLS at the server or in front of it.`,
    },
  ]
}
