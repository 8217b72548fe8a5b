import { type Examination, remedyOf } from './context.ts'
import { troubleOf } from './failure.ts'
import { PROBE_WINDOW } from './probe-target.ts'
import type { Finding } from './report.ts'

/** Whether the store answers, and knows us. Without either, nothing else can be looked at. */
export async function checkReachability(exam: Examination): Promise<readonly Finding[]> {
  const { command, take } = exam.patient
  try {
    if (command) await command(['PING'])
    else await take({ policy: 'doctor-reach', limit: 1, cost: 0, window: PROBE_WINDOW })
    return [answers, ...(command ? [authenticated] : [])]
  } catch (error) {
    const found = troubleOf(error)
    if (found.kind === 'forbidden') return [answers, authenticated]
    if (found.kind === 'unauthorized') return [answers, notAuthenticated(exam)]
    const says =
      found.kind === 'timeout'
        ? `The store hangs: ${found.said}. Nothing else was looked at.`
        : found.kind === 'refused'
          ? `The store answers with an error: ${found.said}. Nothing else was looked at.`
          : `The store cannot be reached: ${found.said}. Nothing else was looked at.`
    return [{ check: 'reachability', level: 'failure', says, remedy: remedyOf(found) }]
  }
}

const answers: Finding = { check: 'reachability', level: 'ok', says: 'The store answers.' }

const authenticated: Finding = {
  check: 'authentication',
  level: 'ok',
  says: 'The store lets us in.',
}

function notAuthenticated({ speaks }: Examination): Finding {
  if (speaks === 'redis') {
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

/** Whether what is sent can be read on the way. */
export function checkTransport({ address }: Examination): readonly Finding[] {
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
