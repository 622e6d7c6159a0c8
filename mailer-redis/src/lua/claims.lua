-- Claims: a page in a worker's hand.
local claims = {}

-- A claim, or nil.
local function claim(id)
  local c = claims[id]
  if c == nil then
    local v = redis.call('HMGET', P .. 'claim:' .. id, 'stream', 'page', 'until', 'call', 'said', 'token')
    local s = v[1] and stream(v[1])
    local p = s and page(s, tonumber(v[2]))
    if p then
      c = { id = id, s = s, p = p, until_ = tonumber(v[3]), call = tonumber(v[4]), said = v[5], token = v[6] }
    else
      c = false
    end
    claims[id] = c
  end
  return c or nil
end

-- Notes that deliveries begin.
local function note_begun(c, indexes, send_by, receipt)
  redis.call('HSET', P .. 'claim:' .. c.id, 'call', c.call, '#' .. c.call .. ':' .. indexes[1],
    cmsgpack.pack({ c.call, now, send_by, string.char(unpack(indexes)), receipt }))
end

