-- Takes what became of deliveries, and the deferrals that follow from it, in one step.
-- ARGV: runs of settlements (claim id, code, what belongs to the code, the relay's words, indexes); deferrals (see
-- `read_defer`).
-- Codes: s sent, f failed (failure), r retry (wait in microseconds or ''), n not started, t returned, m met trouble, u unknown (rule),
-- k skipped, x suppressed.
-- Reply: a string of results (a applied, r repeated, s stale, v resolved), then for each deferral the one that holds,
-- then the campaigns that were halted, each with the relay's words.
-- Complexity: O(settlements + pages). Invariant: a delivery of a claim is settled once.
local GOOD, BLOCK = '.', 'x'
local VERDICT = { s = GOOD, frecipient = GOOD, fmessage = BLOCK, fpolicy_block = BLOCK }
local EVENT = { s = 'send', f = 'fail', k = 'skip', x = 'suppress' }

local sent_by, returned, halted = {}, {}, {}

local function apply(p, st, event)
  if not step(p, st.index, event) then return end
  local keeps_words = event ~= 'send' and event ~= 'back'
  if keeps_words or row(p, st.index) then
    local r = row_for_change(p, st.index)
    if st.code == 'f' then r.failure = r.failure or st.more end
    r.detail = event ~= 'send' and st.detail ~= '' and st.detail or nil
    if event ~= 'refuse' then r.due = nil end
  end
end

local function note_sent(s)
  sent_by['relay:' .. s.relay] = true
end

-- Verdicts on a campaign's mails, all alike; too many of them against what is sent halt it. Remembered only while one of
-- the last was such.
local function note_verdicts(s, mark, count, words)
  if not is_campaign(s.id) or not s.recent and mark == GOOD then return end
  local recent = string.sub((s.recent or '') .. string.rep(mark, math.min(count, RECENT)), -RECENT)
  local _, blocks = string.gsub(recent, BLOCK, '')
  set(s, 'recent', blocks > 0 and recent)
  local in_a_row = string.sub(recent, -BLOCKS_IN_A_ROW) == string.rep(BLOCK, BLOCKS_IN_A_ROW)
  if mark == BLOCK and (in_a_row or blocks > BLOCKS_OF_RECENT) and not held(s) then
    set(s, 'held', 'halted ' .. cjson.encode({ halted = { cause = 'policy_blocks', detail = words } }))
    touch_and_end(s)
    halted[#halted + 1] = { s.id, words }
  end
end

-- The relay refused the recipient for now: another attempt as the policy says, or none.
local function refuse(p, st)
  local r = row_for_change(p, st.index)
  r.attempts = (r.attempts or 0) + 1
  local delay, n = nil, 0
  for wait in string.gmatch(redis.call('HGET', META, 'retry') or '', '%d+') do
    n = n + 1
    if n == r.attempts then delay = tonumber(wait) end
  end
  if delay then
    -- The relay may ask for more patience than the policy has, not for less.
    if st.more ~= '' then delay = math.max(delay, tonumber(st.more)) end
    r.due = str(now + delay)
    apply(p, st, 'refuse')
  else
    r.failure = 'attempts'
    apply(p, st, 'fail')
  end
end

-- Counts the troubles that a mail has met while its relay took others; after too many it is the mail's own doing.
local function troubled(c, p, st)
  local relay = 'relay:' .. c.s.relay
  local passed_at = sent_by[relay] and now or tonumber(redis.call('HGET', P .. 'relays', relay) or 0)
  local r = row_for_change(p, st.index)
  local others_pass = passed_at > begun(c, st.index).at
  local others_passed = others_pass or r.troubled_at and passed_at > tonumber(r.troubled_at)
  r.troubled_at = str(now)
  if others_passed then r.troubles = ((r.troubles or 0) + 1) % TROUBLES end
  if others_passed and r.troubles == 0 then
    refuse(p, st)
  elseif others_pass then
    apply(p, st, 'back')
  else
    r.due = str(now + tonumber(redis.call('HGET', META, 'trouble')) + BEHIND_OTHERS)
    apply(p, st, 'refuse')
  end
end

local function settle_begun(c, p, st)
  if EVENT[st.code] and st.code ~= 'k' and st.code ~= 'x' then
    if st.code == 's' then note_sent(c.s) end
    apply(p, st, EVENT[st.code])
  elseif st.code == 'n' then
    local b = begun(c, st.index)
    if b and b.receipt then returned[#returned + 1] = b end
    uncharge(c.s, 1)
    apply(p, st, 'back')
  elseif st.code == 'r' then
    refuse(p, st)
  elseif st.code == 'm' then
    troubled(c, p, st)
  elseif st.code == 'u' then
    lose(p, c.id, st.index, begun(c, st.index).at, st.more)
  else
    -- Returned; and a mail that has begun is not skipped any more.
    apply(p, st, 'back')
  end
end

-- What was not started goes back to its place, or ends without having begun: nothing else can have become of it.
local function settle_waiting(c, p, st)
  if st.code == 'f' or st.code == 'k' or st.code == 'x' then
    apply(p, st, EVENT[st.code])
  else
    uncharge(c.s, 1)
    let_go(p, st.index)
  end
end

local function stale_or_repeated(id)
  return redis.call('ZSCORE', P .. 'ended', id) and 'r' or 's'
end

-- A claim that is gone changes nothing, save as evidence about a doubt of this very attempt.
local function late_evidence(st)
  if st.code ~= 's' and st.code ~= 'f' then return stale_or_repeated(st.claim) end
  local doubt = st.claim .. ':' .. st.index
  local where = redis.call('HGET', P .. 'doubts', doubt)
  if not where then return stale_or_repeated(st.claim) end
  local number, id = string.match(where, '^(%d+) (.*)$')
  local s = stream(id)
  local p = s and page(s, tonumber(number))
  local mark = p and p.marks[st.index + 1]
  if mark ~= UNKNOWN and mark ~= RETRY and mark ~= HELD_RETRY then return 's' end
  redis.call('HDEL', P .. 'doubts', doubt)
  redis.call('SREM', s.key .. 'doubts', doubt)
  if st.code == 's' then note_sent(s) end
  -- What is decided is nobody's to begin: a repetition that a worker has claimed leaves its claim.
  if mark == HELD_RETRY then uncharge(s, 1) end
  apply(p, st, EVENT[st.code])
  if mark == HELD_RETRY and p.in_hand == 0 then
    end_claim(owner(p))
    set_owner(p, nil)
  end
  page_changed(p)
  return 'v'
end

local changed = {}

-- While the page is in hand its stream stands as it did, unless its time has come or is over.
local function note_changed(c)
  local s = c.s
  if c.p.in_hand == 0 then
    set_owner(c.p, nil)
    end_claim(c.id)
    changed[c.p] = true
  elseif s.in_flight == 0 or expired(s) or s.stand == 'asleep' and s.due <= now then
    touch_and_end(s)
  end
end

local function settle(st)
  local c = claim(st.claim)
  if not c then return late_evidence(st) end
  local mark = c.p.marks[st.index + 1]
  if not is_in_hand(mark) then return 'r' end
  if mark == BEGUN then
    settle_begun(c, c.p, st)
    local verdict = VERDICT[st.code .. st.more]
    if verdict then note_verdicts(c.s, verdict, 1, st.detail) end
  else
    settle_waiting(c, c.p, st)
  end
  note_changed(c)
  return 'a'
end

-- What most runs are: begun, sent, and nothing else to tell. Nil: it is to be looked at one by one.
local function settle_sent(run)
  local c = run.code == 's' and claim(run.claim)
  if not c or row(c.p, 0) or next(c.p.rows) or not all_stand_at(c.p, run.indexes, BEGUN) then return nil end
  note_sent(c.s)
  local moved = #step_all(c.p, run.indexes, BEGUN, SENT)
  note_verdicts(c.s, GOOD, moved)
  note_changed(c)
  if moved == #run.indexes then return string.rep('a', moved) end
  local seen, results = {}, {}
  for i, index in ipairs(run.indexes) do
    results[i] = seen[index] and 'r' or 'a'
    seen[index] = true
  end
  return table.concat(results)
end

local results = {}
for _, run in ipairs(runs) do
  local all = settle_sent(run)
  if all then
    results[#results + 1] = all
  else
    for _, index in ipairs(run.indexes) do
      run.index = index
      results[#results + 1] = settle(run)
    end
  end
end
for p in pairs(changed) do page_changed(p) end
for relay in pairs(sent_by) do redis.call('HSET', P .. 'relays', relay, str(now)) end

