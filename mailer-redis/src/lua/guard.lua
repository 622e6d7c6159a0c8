-- Whether the data is what this process has worked with: the same, and no older than it has seen.
local META = P .. 'meta'
local meta = redis.call('HMGET', META, 'identity', 'seq', 'version', 'epoch', 'policy')
local seq, version, epoch = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4])
local has_policy = meta[5] == '1'
if meta[1] ~= ARGV[2] then
  return redis.error_reply('ROLLEDBACK the data of ' .. KEYS[1] .. ' is gone or another: identity '
    .. tostring(meta[1] or 'none') .. ' where ' .. ARGV[2] .. ' is expected')
end
if seq < tonumber(ARGV[3]) then
  return redis.error_reply('ROLLEDBACK the data of ' .. KEYS[1] .. ' is older than what was confirmed: change '
    .. str(seq) .. ' after ' .. ARGV[3])
end

local meta_changed = {}

local function set_meta(field, value)
  meta_changed[#meta_changed + 1] = field
  meta_changed[#meta_changed + 1] = type(value) == 'number' and str(value) or value
end

-- Numbers the change, and answers with the number and the time before what else is to be said.
local function confirm(reply)
  redis.call('HSET', META, 'seq', str(seq + 1), unpack(meta_changed))
  local answer = { seq + 1, now }
  for i, part in ipairs(reply) do answer[2 + i] = part end
  return answer
end

