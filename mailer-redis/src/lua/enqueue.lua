-- Puts a single mail into its standing stream. ARGV: stream, lane, relay, sender, key, mail, expires_at, rule.
-- Reply: nothing. Complexity: O(page). Invariant: a key is taken in once.
local id, lane, relay, sender = text(), text(), text(), text()
local key, mail, expires_at, rule = text(), text(), text(), text()
local s = stream(id)
if not s then
  make_stream(id, lane, relay, sender, '', 1, 'last_size', 0)
  streams[id] = nil
  s = stream(id)
end
if redis.call('HEXISTS', s.key .. 'keys', key) == 1 then return answer({}) end

-- A page in hand is not added to: the new mail would wait for its owner.
local p = s.pages > 0 and s.last_size < PAGE_SIZE and page(s, s.pages - 1)
local number = s.pages - 1
if not p or owner(p) then
  number = s.pages
  set(s, 'pages', number + 1)
  set(s, 'last_size', 0)
  redis.call('SET', s.key .. 'page:' .. number, string.rep(' ', PAGE_SIZE))
  pages[s.key .. 'page:' .. number] = nil
  p = page(s, number)
end
local index = s.last_size
p.marks[index + 1] = PENDING
p.marks_changed = true
set(s, 'last_size', index + 1)
set(s, 'total', s.total + 1)
set(s, 'pending', s.pending + 1)
redis.call('HSET', s.key .. 'mails:' .. number, index, mail, 'key:' .. index, key)
if expires_at ~= '' then redis.call('HSET', s.key .. 'mails:' .. number, 'expires:' .. index, expires_at) end
if rule ~= '' then redis.call('HSET', s.key .. 'mails:' .. number, 'rule:' .. index, rule) end
redis.call('HSET', s.key .. 'keys', key, number .. ':' .. index)
redis.call('ZREM', P .. 'finished', number .. ' ' .. id)
set_due(p)
touch(s)
local reply = finish({})
if roused then announce() end
return reply
