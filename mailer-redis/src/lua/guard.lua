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

