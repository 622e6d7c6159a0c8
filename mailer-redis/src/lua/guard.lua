-- Whether the data is what this process has worked with: the same, and no older than it has seen.
local META = P .. 'meta'
local SLOTS = 1024
local seen = tonumber(ARGV[3])
local meta = redis.call('HMGET', META, 'identity', 'seq', 'version', 'epoch', 'policy', 'mark:' .. seen % SLOTS)
local seq, version, epoch = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
local has_policy = meta[5] == '1'
if meta[1] ~= ARGV[2] then
  return redis.error_reply('ROLLEDBACK the data of ' .. KEYS[1] .. ' is gone or another: identity '
    .. tostring(meta[1] or 'none') .. ' where ' .. ARGV[2] .. ' is expected')
end
if seq < seen then
  return redis.error_reply('ROLLEDBACK the data of ' .. KEYS[1] .. ' is older than what was confirmed: change '
    .. str(seq) .. ' after ' .. ARGV[3])
end
-- Others may have brought the number back to where it was; but not with the same changes.
if seen > 0 and seq - seen < SLOTS and meta[6] ~= ARGV[4] then
  return redis.error_reply('ROLLEDBACK the data of ' .. KEYS[1] .. ' is another than what was confirmed: change '
    .. ARGV[3] .. ' is not the one that was seen')
end

local meta_changed = {}

local function set_meta(field, value)
  meta_changed[#meta_changed + 1] = field
  meta_changed[#meta_changed + 1] = type(value) == 'number' and str(value) or value
end

-- What every reply begins with: the last change that the caller has seen then, its mark, and the time.
local function answer(reply, number, mark)
  local whole = { number or seen, tonumber(mark or ARGV[4]), now }
  for i, part in ipairs(reply) do whole[3 + i] = part end
  return whole
end

-- Nothing has changed that anybody relies on: leases and signs of life may be lost. The caller learns the last change
-- of all.
local function answer_unconfirmed(reply)
  if #meta_changed > 0 then redis.call('HSET', META, unpack(meta_changed)) end
  return answer(reply, seq, redis.call('HGET', META, 'mark:' .. seq % SLOTS) or 0)
end

-- Numbers and marks the change, and answers.
local function confirm(reply)
  redis.call('HSET', META, 'seq', str(seq + 1), 'mark:' .. (seq + 1) % SLOTS, ARGV[5], unpack(meta_changed))
  return answer(reply, seq + 1, ARGV[5])
end

