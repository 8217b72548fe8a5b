import { createHash } from 'node:crypto'
import { KEY_LOCKING, PLAIN } from '../../src/stores/redis-protocol/script.ts'

const HEADER = KEY_LOCKING.text.slice(0, -PLAIN.text.length)

/** Refuses what Upstash refuses to a script that locks its keys: all others. */
const LOCK = `local call, own = redis.call, {}
for _, key in ipairs(KEYS) do own[key] = true end
local redis = { call = function(name, key, ...)
  assert(own[key], 'ERR Dynamic keys are not allowed')
  return call(name, key, ...)
end }
`

const sha = createHash('sha1').update(`${LOCK}${PLAIN.text}`).digest('hex')

/**
 * What stands for Upstash's own server: a Redis that accepts the header of key locking. What the
 * header does stands in its place, and the hash follows it.
 */
export function likeUpstash(body: string): string {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  return body.replaceAll(inJson(HEADER), inJson(LOCK)).replaceAll(KEY_LOCKING.sha, sha)
}
