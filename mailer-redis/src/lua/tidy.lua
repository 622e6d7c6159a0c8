-- What is forgotten because it is old, a little at a time.

-- Deferrals that are over: fifty of the wide scopes, and those of twenty streams, drawn by lot.
local function forget_waits()
  local some = redis.call('HRANDFIELD', P .. 'waits', 50, 'WITHVALUES')
  for i = 1, #some, 2 do
    if not holds_until(some[i + 1]) then redis.call('HDEL', P .. 'waits', some[i]) end
  end
  for _, id in ipairs(redis.call('ZRANDMEMBER', P .. 'own', 20)) do
    local holds = false
    for _, slot in pairs(book('waits:' .. id).slots) do holds = holds or holds_until(slot) ~= nil end
    local s = stream(id)
    if not holds and not (s and s.held) then
      redis.call('DEL', P .. 'waits:' .. id)
      redis.call('ZREM', P .. 'own', id)
      if s then touch(s) end
    end
  end
end

local function forget_workers()
  local all = redis.call('HGETALL', P .. 'workers')
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '^%d+')) <= now then redis.call('HDEL', P .. 'workers', all[i]) end
  end
end

local function forget_drafts()
  local before = '(' .. str(now - DRAFT_FOR)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'drafts', '-inf', before, 'LIMIT', 0, 10)) do
    local s = stream(id)
    if s then forget_stream(s) else redis.call('ZREM', P .. 'drafts', id) end
  end
end

-- A page of single mails with all that is known of them.
local function forget_page(s, number)
  local names, doubts = {}, {}
  -- The mails themselves may be large, and are not read.
  local fields = {}
  for index = 0, PAGE_SIZE - 1 do fields[index + 1] = 'key:' .. index end
  for _, key in ipairs(redis.call('HMGET', s.key .. 'mails:' .. number, unpack(fields))) do
    if key then names[#names + 1] = key end
  end
  if #names > 0 then redis.call('HDEL', s.key .. 'keys', unpack(names)) end
  local rows = redis.call('HVALS', s.key .. 'rows:' .. number)
  for _, r in ipairs(rows) do
    for _, doubt in ipairs(cjson.decode(r).doubted or {}) do
      redis.call('HDEL', P .. 'doubts', doubt)
      redis.call('SREM', s.key .. 'doubts', doubt)
    end
  end
  -- The page that is added to is never the one that is gone.
  if number == s.pages - 1 then set(s, 'last_size', PAGE_SIZE) end
  pages[s.key .. 'page:' .. number] = false
  redis.call('UNLINK', s.key .. 'page:' .. number, s.key .. 'rows:' .. number, s.key .. 'mails:' .. number)
  redis.call('ZREM', s.key .. 'due', string.format('%08d', number))
  redis.call('HDEL', s.key .. 'reaps', number)
end

-- Single mails whose outcome has been kept long enough: twenty pages with every tick, so that any traffic is kept up
-- with.
local function forget_mails()
  local before = '(' .. str(now - OUTCOME_FOR)
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', P .. 'finished', '-inf', before, 'LIMIT', 0, 20)) do
    local number, id = string.match(entry, '^(%d+) (.*)$')
    local s = stream(id)
    if s and not redis.call('HGET', s.key .. 'hands', number) then forget_page(s, tonumber(number)) end
    redis.call('ZREM', P .. 'finished', entry)
  end
end

