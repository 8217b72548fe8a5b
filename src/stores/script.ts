/** A script, and the SHA-1 by which a server that has seen it knows it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/**
 * `takeFixedWindow` as a Redis script. Time is the server's alone: only `PTTL` is asked. A value that
 * somebody else put there and that is no number is an error.
 *
 * Several demands are looked at first and written last, so that an error leaves nothing half done. One
 * alone is counted at once, and what does not fit is taken back: that is one command less.
 *
 * KEYS: one per demand. ARGV: limit, window, cost and reserve of each demand.
 * Answer: granted, used, resetIn and retryIn of each, in one flat list.
 */
const BODY = `local demands, granting = {}, true
for i, key in ipairs(KEYS) do
  local limit, window, cost, reserve = unpack(ARGV, 4 * i - 3, 4 * i)
  local d = { limit = tonumber(limit), window = tonumber(window), cost = tonumber(cost), taken = 0, used = 0, left = 0 }
  d.most = d.cost + tonumber(reserve)
  if #KEYS == 1 then d.taken = d.most end
  local count = d.taken > 0 and redis.call('INCRBY', key, d.taken) or redis.call('GET', key)
  d.open = count and count ~= d.taken
  if d.open then
    d.used = math.min(assert(tonumber(count), 'the value is no number') - d.taken, d.limit)
    d.left = redis.call('PTTL', key)
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
  if d.open then
    if granted ~= d.taken then redis.call('INCRBY', KEYS[i], granted - d.taken) end
  elseif granted + d.taken > 0 then
    if granted == d.taken then redis.call('PEXPIRE', KEYS[i], d.window)
    else redis.call('SET', KEYS[i], granted, 'PX', d.window) end
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
export const PLAIN: Script = { text: BODY, sha: 'da1d150321a42c792b0aa1feee804188e5584087' }

/**
 * For Upstash, where a script without this header locks the whole database and not just its KEYS.
 * Redis rejects the flag. https://upstash.com/docs/redis/features/key-locking
 */
export const KEY_LOCKING: Script = {
  text: `#!lua flags=allow-key-locking\n${BODY}`,
  sha: 'ee75d9b1527237ab42662b1ba9b05408558ae4d4',
}
