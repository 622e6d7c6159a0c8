-- Begins to load a campaign, or goes on where loading stopped.
-- ARGV: id, loader, digest of the campaign, its JSON, lane, relay, sender, composer, weight, starts_at, expires_at,
-- rule for unknown mails, whether it has hours of its own.
-- Reply: 'purged' and the tombstone; 'sealed', digest, total; 'other'; 'busy'; or 'loading', pages, digest, last key.
-- Complexity: O(1). Invariant: one id, one content.
local id, loader, digest, spec = text(), text(), text(), text()
local tombstone = redis.call('HGET', P .. 'tombstones', id)
if tombstone then return answer({ 'purged', tombstone }) end

local key = P .. 'stream:' .. id
local was = redis.call('HMGET', key, 'origin', 'digest', 'sealed_at', 'loader', 'loaded_at', 'total', 'pages',
  'last_key')
if was[1] and was[1] ~= digest then return answer({ 'other' }) end
if was[3] then return answer({ 'sealed', was[2], tonumber(was[6]) }) end
if was[1] and was[4] ~= loader and now - tonumber(was[5]) < LOAD_LEASE then return answer({ 'busy' }) end

if not was[1] then
  make_stream(id, text(), text(), text(), text(), text(), 'origin', digest, 'digest', digest, 'before_last', digest,
    'spec', spec, 'last_key', '')
  for _, field in ipairs({ 'starts_at', 'expires_at', 'rule', 'hours' }) do
    local value = text()
    if value ~= '' then redis.call('HSET', key, field, value) end
  end
  redis.call('ZADD', P .. 'campaigns', '+inf', id)
end
redis.call('HSET', key, 'loader', loader, 'loaded_at', str(now))
redis.call('ZADD', P .. 'drafts', str(now), id)
return confirm({ 'loading', tonumber(was[7] or 0), was[2] or digest, was[8] or '' })
