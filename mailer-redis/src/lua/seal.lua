-- All recipients are there. ARGV: campaign, loader, pages stored, digest. Reply: as `append`. Complexity: O(1).
local id, loader, pages, digest = text(), text(), int(), text()
local load, wrong = check_load(id, loader, pages, digest)
if not load then return wrong end
if pages ~= load.pages or digest ~= load.digest then return answer({ 'other', load.pages }) end
local s = stream(id)
if not s.sealed_at then
  set(s, 'sealed_at', now)
  redis.call('ZADD', P .. 'campaigns', str(now), id)
  redis.call('ZREM', P .. 'drafts', id)
end
touch_and_end(s)
local reply = finish({ 'done' })
if roused then announce() end
return reply
