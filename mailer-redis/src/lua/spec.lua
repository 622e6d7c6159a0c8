-- What streams are. ARGV: how many, and their names. Reply: of each nothing, or its number, the campaign's JSON or '',
-- its lane. Complexity: O(streams asked for).
local reply = {}
for i = 1, int() do
  local v = redis.call('HMGET', P .. 'stream:' .. text(), 'n', 'spec', 'lane')
  reply[i] = v[1] and { v[1], v[2] or '', v[3] } or {}
end
return answer(reply)
