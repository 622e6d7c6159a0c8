-- What is known of campaigns. ARGV: how many, and their ids or names of streams.
-- Reply: the policy version and JSON; the workers; then for each stream nothing, or its fields, the earliest due and
-- the relay's words about it, and the waits of its scopes. Complexity: O(campaigns asked for + workers).
local workers = {}
local all = redis.call('HGETALL', P .. 'workers')
for i = 1, #all, 2 do
  workers[#workers + 1] = all[i]
  workers[#workers + 1] = all[i + 1]
end

local COUNTS = {
  'total', 'pending', 'in_flight', 'sent', 'failed', 'retrying', 'unknown', 'suppressed', 'skipped', 'expired',
}

local function instant(at)
  return at and str(at) or ''
end

-- The relay's words about the recipient that is tried again at that instant.
local function words_of_retry(s, number, due)
  local p = page(s, number)
  for index = 0, #p.marks - 1 do
    local r = p.marks[index + 1] == RETRY and row(p, index)
    if r and r.due and tonumber(r.due) == due then return r.detail or '' end
  end
  return ''
end

local function waits(s)
  local found = {}
  local own = { 'campaign:' .. s.id, 'stream:' .. s.id }
  for _, scope in ipairs({ 'namespace', 'relay:' .. s.relay, 'sender:' .. s.sender, own[1], own[2] }) do
    local fields = fields_of(scope, s.lane)
    local slots = slots_of(scope, fields).slots
    for i, field in ipairs(fields) do
      if holds_until(slots[field]) then
        found[#found + 1] = scope
        found[#found + 1] = i <= 2 and '' or s.lane
        found[#found + 1] = slots[field]
      end
    end
  end
  return found
end

local reply = { version, has_policy and redis.call('GET', P .. 'policy') or '', workers }
for _ = 1, int() do
  local s = stream(text())
  if s then
    local number, due = first_due(s)
    local words = due and due > now and s.pending == 0 and words_of_retry(s, number, due) or ''
    local hold = held(s) and string.match(s.held, '^%a+ ?%d* ?(.*)$') or ''
    local counts = {}
    for i, name in ipairs(COUNTS) do counts[i] = s[name] end
    reply[#reply + 1] = {
      s.n, hold, counts, instant(s.sealed_at), instant(s.begun_at), instant(s.finished_at), instant(due), words,
      waits(s),
    }
  else
    reply[#reply + 1] = {}
  end
end
return answer(reply)
