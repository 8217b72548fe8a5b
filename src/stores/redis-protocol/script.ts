/** A Lua script, and its SHA-1 for EVALSHA. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/** The two forms of a script. */
export interface ScriptForms {
  /** For Redis, Valkey and compatible servers. Without a header, every version accepts it. */
  readonly plain: Script
  /**
   * For Upstash, where a script without this header locks the whole database and not just its KEYS.
   * Other servers reject the flag, with different error messages.
   * https://upstash.com/docs/redis/features/key-locking
   */
  readonly locking: Script
}

/**
 * `takeFixedWindow` as a Redis script. It gets the time left from `PTTL` and reads no clock. A value
 * that is not a count, written by another program, is an error.
 *
 * With several demands the script reads all keys before it writes, so an error leaves no partial
 * count. A single demand is counted at once, and units that do not fit are taken back: this saves a
 * command.
 *
 * A key still exists in the millisecond at which its `PTTL` reaches 0, and is gone in the next one.
 * If an operator sets a count below 0 (`DECRBY`), units are granted until the count reaches the
 * limit. A count of 0 is no open window: INCRBY cannot distinguish it from a missing key.
 *
 * KEYS: one per demand. ARGV: limit, window, cost and reserve of each demand, and units, age and
 * rest of what is owed: 0, 0 and window if nothing is.
 * Answer: a list for each demand: granted, used, resetIn and retryIn.
 */
export const TAKE_BODY = `local names = { 'limit', 'window', 'cost', 'reserve', 'owed', 'age', 'rest' }
local demands, answer, granting = {}, {}, true
for i, key in ipairs(KEYS) do
  local d = { taken = 0, used = 0, left = 0 }
  for j, name in ipairs(names) do d[name] = tonumber(ARGV[7 * i - 7 + j]) end
  d.most = d.cost + d.reserve
  if #KEYS == 1 and d.owed == 0 then d.taken = d.most end
  local text = d.taken == 0 and redis.call('GET', key)
  local count = d.taken > 0 and redis.call('INCRBY', key, d.taken) - d.taken or tonumber(text or 0) or 0
  assert(not text or text == '0' or #text < 19 and text:match('^-?[1-9]%d*$'), 'the value is no count')
  d.open = count ~= 0
  if d.open then
    d.used, d.left = math.min(count, d.limit), redis.call('PTTL', key)
    if d.left < 0 or d.left > d.window then
      redis.call('PEXPIRE', key, d.window)
      d.left = d.window
    end
    if d.window - d.left < d.age then d.owed = 0 end
  end
  d.owed = math.min(d.owed, d.limit - d.used)
  d.used = d.used + d.owed
  d.fits = d.used + d.cost <= d.limit
  granting = granting and d.fits
  demands[i] = d
end
for i, d in ipairs(demands) do
  local granted = granting and math.min(d.most, d.limit - d.used) or 0
  local charged = granted + d.owed
  if d.open then
    if charged ~= d.taken then redis.call('INCRBY', KEYS[i], charged - d.taken) end
  elseif charged + d.taken > 0 then
    if charged == d.taken then redis.call('PEXPIRE', KEYS[i], d.rest)
    else redis.call('SET', KEYS[i], charged, 'PX', d.rest) end
    d.left = d.rest
  end
  local wait = (d.open and d.left or d.rest) + 1
  answer[i] = { granted, math.max(d.used + granted, 0), d.open and math.max(d.left, 1) or d.left, d.fits and 0 or wait }
end
`

/** The forms of a script, with their SHA-1 (tests/stores/scripts.test.ts). */
export const forms = (text: string, plain: string, locking: string): ScriptForms => ({
  plain: { text, sha: plain },
  locking: { text: `#!lua flags=allow-key-locking\n${text}`, sha: locking },
})

export const TAKE = /* @__PURE__ */ forms(
  `${TAKE_BODY}return answer\n`,
  '8fb27c29b67253516f9c50853dbfd76cbc3d242b',
  '7cf58863dd22150e519b01833b2b20e624ddf3d3',
)
/** Deletes keys. Rare and short, so it needs no hash and no header. */
export const RESET = "return redis.call('DEL', unpack(KEYS))"

/** Whether a URL is in Upstash's own domain, and not in a custom domain or another server's. */
export const isUpstash = (url: string): boolean => new URL(url).hostname.endsWith('.upstash.io')
