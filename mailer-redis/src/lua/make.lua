-- Makes a stream that has nothing yet; what else there is to know of it by name and value.
local function make_stream(id, lane, relay, sender, composer, weight, ...)
  local n = redis.call('HINCRBY', META, 'streams', 1)
  redis.call('HSET', P .. 'stream:' .. id, 'n', n, 'lane', lane, 'relay', relay, 'sender', sender, 'composer', composer,
    'weight', weight, 'service', 0, 'stand', 'out', 'pages', 0, 'total', 0, 'pending', 0, 'in_flight', 0, 'sent', 0,
    'failed', 0, 'retrying', 0, 'unknown', 0, 'suppressed', 0, 'skipped', 0, 'expired', 0, ...)
end

