-- How claims and attempts end.

-- When a delivery of the claim began, by which call, until when it might be used, and whose tokens it took.
local function begun(c, index)
  if not c.begun then
    c.begun = {}
    local all = redis.call('HGETALL', P .. 'claim:' .. c.id)
    for i = 1, #all, 2 do
      if string.sub(all[i], 1, 1) == '#' then
        local call, at, send_by, places, receipt = unpack(cmsgpack.unpack(all[i + 1]), 1, 5)
        local b = { call = call, at = at, send_by = send_by, receipt = receipt }
        for _, place in ipairs({ string.byte(places, 1, -1) }) do c.begun[place] = b end
      end
    end
  end
  return c.begun[index]
end

local function forget_claim(id)
  redis.call('DEL', P .. 'claim:' .. id)
  redis.call('ZREM', P .. 'leases', id)
  redis.call('ZREM', P .. 'suspects', id)
  claims[id] = false
end

-- All of it is settled. The last ones are remembered, so that a repeated settlement is told from a foreign one.
local function end_claim(id)
  forget_claim(id)
  redis.call('ZADD', P .. 'ended', redis.call('HINCRBY', META, 'ended', 1), id)
  redis.call('ZREMRANGEBYRANK', P .. 'ended', 0, -4097)
end

-- After a page's deliveries or owner changed.
local function page_changed(p)
  if not owner(p) then set_due(p) end
  touch_and_end(p.s)
end

-- The dot may have left, and no reply was read: a doubt is kept, and the rule says what now.
local function lose(p, claim_id, index, begun_at, rule)
  if not step(p, index, 'lose') then return end
  local r = row_for_change(p, index)
  r.claim, r.begun_at = claim_id, str(begun_at)
  r.doubts = (r.doubts or 0) + 1
  local doubt = claim_id .. ':' .. index
  r.doubted = r.doubted or {}
  r.doubted[#r.doubted + 1] = doubt
  redis.call('HSET', P .. 'doubts', doubt, p.number .. ' ' .. p.s.id)
  redis.call('SADD', p.s.key .. 'doubts', doubt)
  if rule == 'resend' and r.doubts < MOST_DOUBTS then
    r.due = str(begun_at + DOT_WITHIN + REPLY_WITHIN)
    step(p, index, 'resend')
  end
end

