import type { Examination } from './context.ts'
import { troubleOf } from './failure.ts'
import type { Finding } from './report.ts'

const RAW = 'doctor-raw'

/** What the script and the clean-up need, and nothing more. */
const COMMANDS = '+eval +evalsha +get +set +incrby +pttl +pexpire'

/** The script was forbidden: is it scripts, writing, or these keys? Two plain commands tell. */
export async function whatIsForbidden(exam: Examination): Promise<Finding> {
  const { patient, prefix } = exam
  const grant = `ACL SETUSER … ~${prefix}:* ${COMMANDS}`
  const behind = 'Behind a gateway, in its list of commands too.'
  const reads = await may(exam, 'GET', patient.keyOf(RAW))
  if (reads === 'not these keys') {
    return forbidden(
      `This user may not touch keys that begin with "${prefix}:".`,
      `Allow it these keys: ${grant}. Or set the prefix that it may use.`,
    )
  }
  const writes = await may(exam, 'SET', patient.keyOf(RAW), '0', 'PX', '1000')
  if (writes === 'yes') {
    return {
      ...forbidden(
        'This token or user may write, but not run scripts.',
        `Allow it EVAL and EVALSHA: ${grant}. ${behind}`,
      ),
      check: 'script',
    }
  }
  if (reads !== 'yes') {
    return forbidden(
      'This token or user may not do what counting needs.',
      `Give the token that may write, or allow this user: ${grant}. ${behind}`,
    )
  }
  return exam.speaks === 'rest'
    ? forbidden(
        'This is a read-only token, or a read-only user stands behind it: it may read, and may not write.',
        `Give the token that may write: UPSTASH_REDIS_REST_TOKEN or KV_REST_API_TOKEN, never …READ_ONLY_TOKEN. Behind a gateway of your own: ${grant}.`,
      )
    : forbidden(
        'This is a read-only user: it may read, and may not write.',
        `Allow it to write: ${grant}.`,
      )
}

/** `unknown` where raw commands cannot be sent, or fail for another reason. */
async function may({ patient: { command } }: Examination, ...words: readonly string[]) {
  if (command === undefined) return 'unknown'
  try {
    await command(words)
    return 'yes'
  } catch (error) {
    const { kind, said } = troubleOf(error)
    if (kind !== 'forbidden') return 'unknown'
    return /\baccess\b.*\bkeys?\b/.test(said) ? 'not these keys' : 'no'
  }
}

const forbidden = (says: string, remedy: string): Finding => ({
  check: 'write',
  level: 'failure',
  says,
  remedy,
})
