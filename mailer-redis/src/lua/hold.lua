-- Pauses, resumes or cancels a campaign, or halts it.
-- ARGV: campaign; `pause`, `resume`, `cancel` or `halt`; the hold as JSON; for `halt`: void if its relay took a mail
-- since.
-- Reply: 'done', 'missing', 'void', or 'final' and the state. Complexity: O(1).
local s, change, hold, unless_sent_since = stream(text()), text(), text(), text()
if not s then return answer({ 'missing' }) end

local KIND = { pause = 'paused', cancel = 'cancelled', halt = 'halted' }
if change == 'halt' then
  local sent = unless_sent_since ~= '' and redis.call('HGET', P .. 'relays', 'relay:' .. s.relay)
  if sent and tonumber(sent) > tonumber(unless_sent_since) then return answer({ 'void' }) end
  -- A pause or a cancel that came first says more about who must act.
  if not held(s) then set(s, 'held', 'halted ' .. hold) end
  touch(s)
else
  local cancelled = held(s) == 'cancelled'
  local completed = s.sealed_at and (expired(s) or s.pending + s.retrying == 0) and s.in_flight == 0
  if cancelled and change ~= 'cancel' then return answer({ 'final', 'cancelled' }) end
  if completed and not cancelled then return answer({ 'final', 'completed' }) end
  set(s, 'held', KIND[change] and KIND[change] .. ' ' .. hold)
  if change == 'resume' then
    set(s, 'recent', false)
    local b = book('waits:' .. s.id)
    for field in pairs(b.slots) do
      if string.sub(field, 1, 9) == 'campaign:' and string.sub(field, -2) == '|o' then
        redis.call('HDEL', P .. 'waits:' .. s.id, field)
        b.slots[field] = false
      end
    end
  end
  touch_and_end(s)
end
local reply = finish({ 'done' })
if roused then announce() end
return reply
