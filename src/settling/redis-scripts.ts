import { forms, TAKE_BODY } from '../stores/redis-protocol/script.ts'

/**
 * The script of `take` for demands that are settled later. Beside each key is another one, a hash: the name of
 * the open window, how many of its units are settled, and each settlement that it has had.
 *
 * KEYS: one per demand, then the hash of each. ARGV: first the `settling` of each demand.
 * Answer: of each demand then also windowName and settled.
 */
const SETTLING_BODY = `local all, args, KEYS, ARGV = KEYS, ARGV, {}, {}
local count = #all / 2
for i = 1, count do KEYS[i] = all[i] end
for i = count + 1, #args do ARGV[i - count] = args[i] end
${TAKE_BODY}for i, d in ipairs(demands) do
  local hash, name, settled = all[count + i], args[i], 0
  if d.left < 1 or name == '' then name = ''
  else
    local known = d.open and redis.pcall('HMGET', hash, 'name', 'settled') or {}
    if known[1] then name, settled = known[1], tonumber(known[2] or 0)
    else
      redis.call('DEL', hash)
      redis.call('HSET', hash, 'name', name)
      redis.call('PEXPIRE', hash, d.left)
    end
  end
  answer[i][5], answer[i][6] = name, settled
end
return answer
`

/**
 * `settleFixedWindow` as a script. A hash whose count is gone or 0 names no window. A foreign value
 * in the hash or the count must not stop the other settlements of the call.
 *
 * KEYS: the key and the hash of each settlement. ARGV: windowName, id, reserved and used of each.
 * Answer: for each, 1 if its count was changed.
 */
const SETTLE_BODY = `local answer = {}
for i = 1, #KEYS / 2 do
  local key, hash = KEYS[2 * i - 1], KEYS[2 * i]
  local name, id, reserved, used = unpack(ARGV, 4 * i - 3, 4 * i)
  local isOpen = redis.pcall('HGET', hash, 'name') == name and (tonumber(redis.pcall('GET', key)) or 0) ~= 0
  answer[i] = isOpen and redis.call('HSETNX', hash, '=' .. id, 1) or 0
  if answer[i] == 1 then
    if used ~= reserved then redis.pcall('INCRBY', key, used - reserved) end
    if used ~= '0' then redis.call('HINCRBY', hash, 'settled', used) end
  end
end
return answer
`

export const TAKE_SETTLING = /* @__PURE__ */ forms(
  SETTLING_BODY,
  'adf84d74a5af2b14a941a2235cd8a1dc7544a845',
  'dc98e8bc9825d928b635d8565a1e100b78d113bf',
)
export const SETTLE = /* @__PURE__ */ forms(
  SETTLE_BODY,
  'b3dd48da97d0091196456d4a33edb0091ebcc2e3',
  'c83c2ea8a4203b2780a370786ae00843518ec24c',
)
