-- What a stream is. ARGV: stream. Reply: nothing, or its number, the campaign's JSON or '', lane, relay, sender.
local v = redis.call('HMGET', P .. 'stream:' .. text(), 'n', 'spec', 'lane', 'relay', 'sender')
if not v[1] then return answer({}) end
return answer({ v[1], v[2] or '', v[3], v[4], v[5] })
