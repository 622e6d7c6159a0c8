-- A page of a stream, or one mail of a standing stream. ARGV: stream; the page, or the key of the mail.
-- Reply: 'missing'; or 'page', marks, body, mails, rows as index and JSON: of the mail alone, if one was asked for.
-- Complexity: O(page), O(1) for one mail.
local s, number, key = stream(text()), text(), text()
if not s then return answer({ 'missing' }) end
local wanted
if number == '' then
  local place = redis.call('HGET', s.key .. 'keys', key)
  if not place then return answer({ 'missing' }) end
  number, wanted = string.match(place, '^(%d+):(%d+)$')
  wanted = tonumber(wanted)
end
local p = page(s, tonumber(number))
if not p then return answer({ 'page', '', '', {}, {} }) end
local rows_key, mails_key = s.key .. 'rows:' .. number, s.key .. 'mails:' .. number
if wanted then
  local row = redis.call('HGET', rows_key, wanted)
  return answer({ 'page', string.char(p.marks[wanted + 1]), '', redis.call('HMGET', mails_key, wanted),
    row and { '0', row } or {} })
end
local mails, indexes = {}, {}
if not is_campaign(s.id) then
  for index = 0, s.last_size and tonumber(number) == s.pages - 1 and s.last_size - 1 or PAGE_SIZE - 1 do
    if p.marks[index + 1] ~= FREE then indexes[#indexes + 1] = index end
  end
  if #indexes > 0 then mails = redis.call('HMGET', mails_key, unpack(indexes)) end
end
return answer({ 'page', string.char(unpack(p.marks)),
  is_campaign(s.id) and redis.call('GETRANGE', p.key, PAGE_SIZE, -1) or '', mails, redis.call('HGETALL', rows_key) })
