-- A worker's sign of life: its leases renewed, silent ones taken back, old things forgotten.
-- ARGV: worker; its presence as JSON, '' when it is going; microseconds until its next tick at the latest; room;
-- claims.
-- Reply: the policy version, the next instant at which something may be claimed, the claims that are lost.
-- Complexity: O(claims of the worker + reaped deliveries). Invariant: a lease ends after a renewal or two silences.
local worker, presence, within = text(), text(), int()
local room = read_room()
if presence ~= '' then
  redis.call('HSET', P .. 'workers', worker, str(now + 3 * within) .. ' ' .. presence)
else
  redis.call('HDEL', P .. 'workers', worker)
end

local lost = {}
for _ = 1, int() do
  local id = text()
  local until_ = redis.call('HGET', P .. 'claim:' .. id, 'until')
  if until_ then
    until_ = str(math.max(tonumber(until_), now + LEASE))
    redis.call('HSET', P .. 'claim:' .. id, 'until', until_)
    redis.call('ZADD', P .. 'leases', until_, id)
    redis.call('ZREM', P .. 'suspects', id)
  else
    lost[#lost + 1] = id
  end
end

-- A delivery that a worker had alone in hand when it fell silent may be what killed it.
local function count_crash(p, index, reaps)
  if reaps < REAPS_BEFORE_SINGLE then return end
  local r = row_for_change(p, index)
  r.crashes = (r.crashes or 0) + 1
  if r.crashes >= CRASHES then
    r.failure = 'crash_loop'
    step(p, index, 'fail')
  end
end

local has_reaped = false

-- Takes a page back: what was not started returns to its place, what was started is unknown.
local function reap(id)
  local c = claim(id)
  has_reaped = true
  if not c then return forget_claim(id) end
  local p, s = c.p, c.s
  local open = {}
  for index = 0, #p.marks - 1 do
    if is_in_hand(p.marks[index + 1]) then open[#open + 1] = index end
  end
  local reaps = tonumber(redis.call('HGET', s.key .. 'reaps', p.number) or 0)
  for _, index in ipairs(open) do
    if p.marks[index + 1] == BEGUN then
      local rule = s.rule or redis.call('HGET', s.key .. 'mails:' .. p.number, 'rule:' .. index)
      lose(p, id, index, begun(c, index).at, rule)
    else
      uncharge(s, 1)
      let_go(p, index)
      if #open == 1 then count_crash(p, index, reaps) end
    end
  end
  forget_claim(id)
  set_owner(p, nil)
  redis.call('HSET', s.key .. 'reaps', p.number, reaps + 1)
  page_changed(p)
end

-- While the store was away nobody could renew: suspicion starts anew.
local times = redis.call('HMGET', META, 'last_tick', 'suspect_from', 'tidied_at')
local gap = times[1] and now - tonumber(times[1])
local suspect_from = tonumber(times[2] or 0)
if gap and (gap > 2 * within + 5000000 or gap < 0) then
  suspect_from = now
  set_meta('suspect_from', now)
end
set_meta('last_tick', now)
-- A clock that was set back has not seen them silent yet.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'suspects', '(' .. str(now), '+inf', 'LIMIT', 0, 100)) do
  redis.call('ZADD', P .. 'suspects', now, id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'suspects', '-inf', now - SUSPECT_FOR, 'LIMIT', 0, 8)) do
  if now - suspect_from >= SUSPECT_FOR then reap(id) end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', P .. 'leases', id)
  redis.call('ZADD', P .. 'suspects', now, id)
end

local tidied_at = times[3] and tonumber(times[3])
if not tidied_at or now - tidied_at >= TIDY_EVERY or now < tidied_at then
  set_meta('tidied_at', now)
  forget_waits()
  forget_workers()
  forget_drafts()
end
forget_mails()
empty_trash()
place_touched()
-- Whoever sleeps until a known instant wakes by itself; of what was taken back nobody knows.
if roused and has_reaped then announce() end
wake()
return finish({ version, next_claim(room), lost }, not has_reaped)
