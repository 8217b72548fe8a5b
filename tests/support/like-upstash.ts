import { createHash } from 'node:crypto'
import { SETTLE, TAKE_SETTLING } from '../../src/settling/redis-scripts.ts'
import { TAKE } from '../../src/stores/redis-protocol/script.ts'

const HEADER = TAKE.locking.text.slice(0, -TAKE.plain.text.length)

/**
 * Makes a script fail for keys that are not in KEYS, as Upstash does for scripts that lock keys.
 */
const LOCK = `local own = {}
for _, key in ipairs(KEYS) do own[key] = true end
local function locked(call)
  return function(name, key, ...)
    assert(own[key], 'ERR Dynamic keys are not allowed')
    return call(name, key, ...)
  end
end
local redis = { call = locked(redis.call), pcall = locked(redis.pcall) }
`

const SHAS = [TAKE, TAKE_SETTLING, SETTLE].map(({ plain, locking }) => {
  const sha = createHash('sha1').update(`${LOCK}${plain.text}`).digest('hex')
  return [locking.sha, sha] as const
})

/**
 * Rewrites a request so that a Redis treats it as Upstash would: replaces the header for key
 * locking by code with the same effect, and the scripts' hashes accordingly.
 */
export function likeUpstash(body: string): string {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
  const text = body.replaceAll(inJson(HEADER), inJson(LOCK))
  return SHAS.reduce((changed, [from, to]) => changed.replaceAll(from, to), text)
}
