import type { CheckContext } from './context.ts'
import { failureOf } from './failure.ts'
import type { Finding } from './report.ts'

const RAW = 'doctor-raw'

/** The permissions that the script and the deletion of the probes need. */
const COMMANDS = '+eval +evalsha +get +set +incrby +pttl +pexpire'

/**
 * Sends two plain commands to find out which permission is missing: scripts, writing, or the keys.
 */
export async function findMissingPermission(context: CheckContext): Promise<Finding> {
  const { target, prefix } = context
  const grant = `ACL SETUSER … ~${prefix}:* ${COMMANDS}`
  const behind = 'Behind a gateway, the gateway must allow them too.'
  const reads = await tryCommand(context, 'GET', target.keyOf(RAW))
  if (reads === 'not these keys') {
    return forbidden(
      `This user may not access keys that begin with "${prefix}:".`,
      `Allow it these keys: ${grant}. Or set a prefix that it may access.`,
    )
  }
  const writes = await tryCommand(context, 'SET', target.keyOf(RAW), '0', 'PX', '1000')
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
      'This token or user lacks permissions that counting needs.',
      `Use the token with write access, or allow this user: ${grant}. ${behind}`,
    )
  }
  return context.protocol === 'rest'
    ? forbidden(
        'This is a read-only token, or the token of a read-only user.',
        `Use the token with write access: UPSTASH_REDIS_REST_TOKEN or KV_REST_API_TOKEN, never …READ_ONLY_TOKEN. Behind a gateway of your own: ${grant}.`,
      )
    : forbidden('This is a read-only user.', `Allow it to write: ${grant}.`)
}

/** `unknown` if raw commands cannot be sent, or fail for another reason. */
async function tryCommand({ target: { command } }: CheckContext, ...words: readonly string[]) {
  if (command === undefined) return 'unknown'
  try {
    await command(words)
    return 'yes'
  } catch (error) {
    const { kind, message } = failureOf(error)
    if (kind !== 'forbidden') return 'unknown'
    return /\baccess\b.*\bkeys?\b/.test(message) ? 'not these keys' : 'no'
  }
}

const forbidden = (says: string, remedy: string): Finding => ({
  check: 'write',
  level: 'failure',
  says,
  remedy,
})
