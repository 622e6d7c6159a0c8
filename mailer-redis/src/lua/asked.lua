-- A deferral that is asked for.

-- Scope, lane or '', reason, whether the policy causes it, how long (`for` and microseconds, `at` and an instant,
-- `trouble`, or `open`), detail, and that it is void if the scope has taken a mail since, or if the policy is newer.
local function read_defer()
  return { scope = text(), lane = text(), reason = text(), of_policy = text() == '1', wait = text(), span = text(),
    detail = text(), unless_sent_since = text(), policy_version = text() }
end

-- The deferral that holds then, as a reply has it; empty if none does.
local function defer_as_asked(a)
  if a.unless_sent_since ~= '' then
    local sent = redis.call('HGET', P .. 'relays', a.scope)
    if sent and tonumber(sent) > tonumber(a.unless_sent_since) then return {} end
  end
  if a.policy_version ~= '' and tonumber(a.policy_version) < version then return {} end
  local until_
  if a.wait == 'for' then
    until_ = now + tonumber(a.span)
  elseif a.wait == 'at' then
    until_ = tonumber(a.span)
  elseif a.wait == 'trouble' then
    until_ = now + tonumber(redis.call('HGET', META, 'trouble'))
  end
  return shown(defer({
    scope = a.scope, lane = a.lane ~= '' and a.lane or nil, reason = a.reason, until_ = until_, since = now,
    detail = a.detail ~= '' and a.detail or nil, of_policy = a.of_policy,
  }))
end

