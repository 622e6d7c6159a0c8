-- Forgetting. A stream's name goes at once; its pages follow some hundreds at a time, from the list `trash`.
local function forget_stream(s)
  set_stand(s, nil)
  for _, id in ipairs(redis.call('HVALS', s.key .. 'hands')) do forget_claim(id) end
  redis.call('DEL', P .. 'stream:' .. s.id, P .. 'waits:' .. s.id)
  redis.call('ZREM', P .. 'own', s.id)
  redis.call('ZREM', P .. 'campaigns', s.id)
  redis.call('ZREM', P .. 'drafts', s.id)
  redis.call('LPUSH', P .. 'trash', s.n .. ' ' .. (s.pages or 0))
  streams[s.id] = false
  touched[s.id] = nil
end

-- Removes up to 200 pages of what was forgotten. True: there is more.
local function empty_trash()
  local first = redis.call('LINDEX', P .. 'trash', -1)
  if not first then return false end
  local n, left = string.match(first, '^(%d+) (%d+)$')
  local key = P .. n .. ':'
  local doubts = redis.call('SPOP', key .. 'doubts', 200)
  if #doubts > 0 then
    redis.call('HDEL', P .. 'doubts', unpack(doubts))
    return true
  end
  left = tonumber(left)
  for number = left - 1, math.max(left - 200, 0), -1 do
    redis.call('UNLINK', key .. 'page:' .. number, key .. 'rows:' .. number, key .. 'mails:' .. number)
  end
  if left > 200 then
    redis.call('LSET', P .. 'trash', -1, n .. ' ' .. (left - 200))
    return true
  end
  redis.call('UNLINK', key .. 'due', key .. 'hands', key .. 'reaps', key .. 'keys', key .. 'doubts')
  redis.call('RPOP', P .. 'trash')
  return redis.call('LLEN', P .. 'trash') > 0
end

