/** A script, and the SHA-1 by which a server that has seen it knows it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * `takeFixedWindow` as a Redis script: all reads and decisions first, then the writes, so that an
 * error leaves nothing half done. Time is the server's alone: only `PTTL` is asked. A value that
 * somebody else put there and that is no number counts as the limit used up, until it expires.
 *
 * KEYS: one per demand. ARGV: limit, window, cost and reserve of each demand.
 * Answer: granted, used, resetIn and retryIn of each, in one flat list.
 */
const BODY = `local demands, granting = {}, true
for i, key in ipairs(KEYS) do
  local limit, window, cost, reserve = unpack(ARGV, 4 * i - 3, 4 * i)
  local d = { limit = tonumber(limit), window = tonumber(window), cost = tonumber(cost), used = 0, left = 0 }
  d.most = d.cost + tonumber(reserve)
  local count = redis.call('GET', key)
  if count then
    d.open, d.used, d.left = true, math.min(tonumber(count) or d.limit, d.limit), redis.call('PTTL', key)
    if d.left < 0 or d.left > d.window then
      redis.call('PEXPIRE', key, d.window)
      d.left = d.window
    end
    d.left = math.max(d.left, 1)
  end
  d.fits = d.used + d.cost <= d.limit
  granting = granting and d.fits
  demands[i] = d
end
local answer = {}
for i, d in ipairs(demands) do
  local granted = granting and math.min(d.most, d.limit - d.used) or 0
  if granted > 0 and d.open then
    redis.call('INCRBY', KEYS[i], granted)
  elseif granted > 0 then
    redis.call('SET', KEYS[i], granted, 'PX', d.window)
    d.left = d.window
  end
  answer[4 * i - 3] = granted
  answer[4 * i - 2] = d.used + granted
  answer[4 * i - 1] = d.left
  answer[4 * i] = d.fits and 0 or d.open and d.left or d.window
end
return answer
`

/** For Redis, Valkey and whatever speaks like them: no header, which every version takes. */
export const PLAIN: Script = { text: BODY, sha: 'c4b89a401ac170d0b1d85e9a9d5fa325df73aa25' }

/**
 * For Upstash, where a script without this header locks the whole database and not just its KEYS.
 * Redis rejects the flag. https://upstash.com/docs/redis/features/key-locking
 */
export const KEY_LOCKING: Script = {
  text: `#!lua flags=allow-key-locking\n${BODY}`,
  sha: 'a74b3d24bf1636b498ac1b10a4b77e9c512981de',
}
