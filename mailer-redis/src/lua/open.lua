-- Makes the namespace, if it is not there. ARGV: the identity of a new one; retry; trouble. Reply: the identity.
-- Invariant: nothing is overwritten.
local META = P .. 'meta'
local identity = redis.call('HGET', META, 'identity')
if identity then return { tonumber(redis.call('HGET', META, 'seq')), now, identity } end
redis.call('HSET', META, 'identity', text(), 'format', 1, 'seq', 0, 'version', 0, 'epoch', 0, 'policy', 0, 'token', 0,
  'streams', 0, 'retry', text(), 'trouble', text())
return { 0, now, redis.call('HGET', META, 'identity') }
