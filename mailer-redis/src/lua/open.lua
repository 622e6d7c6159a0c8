-- Makes the namespace, if it is not there. ARGV: the identity of a new one; retry; trouble. Reply: the identity.
-- Invariant: nothing is overwritten.
local META = P .. 'meta'
local TYPES = {
  policy = 'string', campaigns = 'zset', drafts = 'zset', leases = 'zset', suspects = 'zset', ended = 'zset',
  asleep = 'zset', own = 'zset', finished = 'zset', doubts = 'hash', waits = 'hash', relays = 'hash', workers = 'hash',
  tombstones = 'hash', trash = 'list', ['groups:test'] = 'set', ['groups:transactional'] = 'set',
  ['groups:bulk'] = 'set',
}
for name, wanted in pairs(TYPES) do
  local found = redis.call('TYPE', P .. name).ok
  if found ~= 'none' and found ~= wanted then
    return redis.error_reply('WRONGTYPE the key ' .. P .. name .. ' is a ' .. found .. ', not a ' .. wanted)
  end
end
local identity = redis.call('HGET', META, 'identity')
if identity then return { 0, 0, now, identity } end
redis.call('HSET', META, 'identity', text(), 'format', 1, 'seq', 0, 'version', 0, 'epoch', 0, 'policy', 0, 'token', 0,
  'streams', 0, 'retry', text(), 'trouble', text())
return { 0, 0, now, redis.call('HGET', META, 'identity') }
