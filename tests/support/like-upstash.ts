import { createHash } from 'node:crypto'
import { KEY_LOCKING, PLAIN } from '../../src/stores/redis-protocol/script.ts'

const HEADER = KEY_LOCKING.text.slice(0, -PLAIN.text.length)

/**
 * Makes a script fail for keys that are not in KEYS, as Upstash does for scripts that lock keys.
 */
const LOCK = `local call, own = redis.call, {}
for _, key in ipairs(KEYS) do own[key] = true end
local redis = { call = function(name, key, ...)
  assert(own[key], 'ERR Dynamic keys are not allowed')
  return call(name, key, ...)
end }
`

const sha = createHash('sha1').update(`${LOCK}${PLAIN.text}`).digest('hex')

/**
 * Rewrites a request so that a Redis treats it as Upstash would: replaces the header for key
 * locking by code with the same effect, and the script's hash accordingly.
 */
export function likeUpstash(body: string): string {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  return body.replaceAll(inJson(HEADER), inJson(LOCK)).replaceAll(KEY_LOCKING.sha, sha)
}
