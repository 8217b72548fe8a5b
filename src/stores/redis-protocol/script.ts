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
 * `takeFixedWindow` as a Redis script. It reads only the server's clock, through `PTTL`. A value
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
 * KEYS: one per demand. ARGV: limit, window, cost and reserve of each demand; if units are owed,
 * then also units, age and rest of each.
 * Answer: granted, used, resetIn and retryIn of each, in one flat list.
 */
export const TAKE_BODY = `local demands, granting = {}, true
for i, key in ipairs(KEYS) do
  local limit, window, cost, reserve = unpack(ARGV, 4 * i - 3, 4 * i)
  local owed, age, rest = unpack(ARGV, 4 * #KEYS + 3 * i - 2, 4 * #KEYS + 3 * i)
  local d = { limit = tonumber(limit), window = tonumber(window), cost = tonumber(cost), taken = 0, used = 0, left = 0 }
  d.most, d.owed = d.cost + tonumber(reserve), tonumber(owed) or 0
  d.whole = d.owed > 0 and tonumber(rest) or d.window
  if #KEYS == 1 and not owed then d.taken = d.most end
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
  end
  if d.open and d.owed > 0 and d.window - d.left < tonumber(age) then d.owed = 0 end
  d.owed = math.min(d.owed, d.limit - d.used)
  d.used = d.used + d.owed
  d.fits = d.used + d.cost <= d.limit
  granting = granting and d.fits
  demands[i] = d
end
local answer = {}
for i, d in ipairs(demands) do
  local granted = granting and math.min(d.most, d.limit - d.used) or 0
  local charged = granted + d.owed
  if d.open then
    if charged ~= d.taken then redis.call('INCRBY', KEYS[i], charged - d.taken) end
  elseif charged + d.taken > 0 then
    if charged == d.taken then redis.call('PEXPIRE', KEYS[i], d.whole)
    else redis.call('SET', KEYS[i], charged, 'PX', d.whole) end
    d.left = d.whole
  end
  answer[4 * i - 3] = granted
  answer[4 * i - 2] = math.max(d.used + granted, 0)
  answer[4 * i - 1] = d.open and math.max(d.left, 1) or d.left
  answer[4 * i] = d.fits and 0 or ((d.open or d.owed > 0) and d.left or d.window) + 1
end
`

/** The forms of a script, with their SHA-1 (tests/stores/scripts.test.ts). */
export const forms = (text: string, plain: string, locking: string): ScriptForms => ({
  plain: { text, sha: plain },
  locking: { text: `#!lua flags=allow-key-locking\n${text}`, sha: locking },
})

export const TAKE = /* @__PURE__ */ forms(
  `${TAKE_BODY}return answer\n`,
  'adba2ef87e12c9da830c0e231bbd9860f3212a88',
  '07755655678bb56d31bf164d6a081e4f43b26f2f',
)
/** Deletes keys. Rare and short, so it needs no hash and no header. */
export const RESET = "return redis.call('DEL', unpack(KEYS))"

/** Whether a URL is in Upstash's own domain, and not in a custom domain or another server's. */
export const isUpstash = (url: string): boolean => new URL(url).hostname.endsWith('.upstash.io')
