-- A page of a stream. ARGV: stream; the page, or a key of a single mail.
-- Reply: 'missing'; or 'page', the index of the mail (-1: none was asked for), marks, body, mails, rows as index and
-- JSON.
-- Complexity: O(page).
local s, number, key = stream(text()), text(), text()
if not s then return answer({ 'missing' }) end
local wanted = -1
if number == '' then
  local place = redis.call('HGET', s.key .. 'keys', key)
  if not place then return answer({ 'missing' }) end
  number, wanted = string.match(place, '^(%d+):(%d+)$')
end
local p = page(s, tonumber(number))
if not p then return answer({ 'page', -1, '', '', {}, {} }) end
local rows = redis.call('HGETALL', s.key .. 'rows:' .. number)
local mails, indexes = {}, {}
if not is_campaign(s.id) then
  for index = 0, s.last_size and tonumber(number) == s.pages - 1 and s.last_size - 1 or PAGE_SIZE - 1 do
    if p.marks[index + 1] ~= FREE then indexes[#indexes + 1] = index end
  end
  if #indexes > 0 then mails = redis.call('HMGET', s.key .. 'mails:' .. number, unpack(indexes)) end
end
return answer({ 'page', tonumber(wanted), string.char(unpack(p.marks)),
  is_campaign(s.id) and redis.call('GETRANGE', p.key, PAGE_SIZE, -1) or '', mails, rows })
