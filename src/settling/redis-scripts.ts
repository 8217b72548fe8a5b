import { forms, TAKE_BODY } from '../stores/redis-protocol/script.ts'

/**
 * The script of `take` for demands that are settled later. Beside each key is another one, a hash: the name of
 * the open window, how many of its units are settled, and each settlement that it has had.
 *
 * KEYS: one per demand, then the hash of each. ARGV: first the `settling` of each demand.
 * Answer: then windowName and settled of each.
 */
const SETTLING_BODY = `local all, args, KEYS, ARGV = KEYS, ARGV, {}, {}
local count = #all / 2
for i = 1, count do KEYS[i] = all[i] end
for i = count + 1, #args do ARGV[i - count] = args[i] end
${TAKE_BODY}for i, d in ipairs(demands) do
  local hash, name, settled = all[count + i], args[i], 0
  if d.left < 1 or name == '' then name = ''
  else
    local known = d.open and redis.call('HMGET', hash, 'name', 'settled') or {}
    if known[1] then name, settled = known[1], tonumber(known[2] or 0)
    else
      redis.call('DEL', hash)
      redis.call('HSET', hash, 'name', name)
      redis.call('PEXPIRE', hash, d.left)
    end
  end
  answer[4 * count + 2 * i - 1] = name
  answer[4 * count + 2 * i] = settled
end
return answer
`

/**
 * `settleFixedWindow` as a script. A hash whose count is gone names no window. Nor does a value of
 * another type: it must not stop the other settlements of the call.
 *
 * KEYS: the key and the hash of each settlement. ARGV: windowName, id, reserved and used of each.
 * Answer: for each, 1 if its count was changed.
 */
const SETTLE_BODY = `local answer = {}
for i = 1, #KEYS / 2 do
  local key, hash = KEYS[2 * i - 1], KEYS[2 * i]
  local name, id, reserved, used = unpack(ARGV, 4 * i - 3, 4 * i)
  local isOpen = redis.pcall('HGET', hash, 'name') == name and redis.call('EXISTS', key) == 1
  answer[i] = isOpen and redis.call('HSETNX', hash, '=' .. id, 1) or 0
  if answer[i] == 1 then
    if used ~= reserved then redis.call('INCRBY', key, used - reserved) end
    if used ~= '0' then redis.call('HINCRBY', hash, 'settled', used) end
  end
end
return answer
`

export const TAKE_SETTLING = /* @__PURE__ */ forms(
  SETTLING_BODY,
  'fcdb9658a3564dead67183cbf627d9c28c522ff4',
  '9c449d90f60c88af958b026ba71cef7f3d489dd9',
)
export const SETTLE = /* @__PURE__ */ forms(
  SETTLE_BODY,
  '966f830f1a35af8e7ba7862d9fdcaea6a00196a5',
  '512fa43a5307cf097e97419461a63988cff73e40',
)
