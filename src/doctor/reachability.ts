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
        ? `The store hangs: ${failure.message}. Nothing else was looked at.`
        : failure.kind === 'refused'
          ? `The store answers with an error: ${failure.message}. Nothing else was looked at.`
          : `The store cannot be reached: ${failure.message}. Nothing else was looked at.`
    return [{ check: 'reachability', level: 'failure', says, remedy: remedyFor(failure) }]
  }
}

const answers: Finding = { check: 'reachability', level: 'ok', says: 'The store answers.' }

const authenticated: Finding = {
  check: 'authentication',
  level: 'ok',
  says: 'The store lets us in.',
}

function notAuthenticated({ protocol }: CheckContext): Finding {
  if (protocol === 'redis') {
    return {
      check: 'authentication',
      level: 'failure',
      says: 'The server does not know this user and password, or asks for them and got none.',
      remedy: 'Correct user and password in the URL: redis://user:password@host:port.',
    }
  }
  return {
    check: 'authentication',
    level: 'failure',
    says: 'The store does not know this token.',
    remedy:
      'Copy URL and token of the same database from its console (or of the same gateway). One that was rotated is worth nothing any more.',
  }
}

/** Whether the connection is encrypted. */
export function checkTransport({ address }: CheckContext): readonly Finding[] {
  if (address === undefined) return []
  const check = 'tls'
  if (/^(?:https|rediss):$/.test(address.protocol)) {
    return [{ check, level: 'ok', says: 'What is sent is encrypted (TLS).' }]
  }
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(address.hostname)) {
    return [{ check, level: 'ok', says: 'Plain text, which does not leave this machine.' }]
  }
  const secure = /^redis/.test(address.protocol) ? 'rediss://' : 'https://'
  return [
    {
      check,
      level: 'warning',
      says: 'The URL is for plain text: whoever is on the way reads the token or password, and may change counts.',
      remedy: `Use ${secure}, with TLS switched on at the server or in front of it.`,
    },
  ]
}
