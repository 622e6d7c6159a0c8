-- Forgets a campaign that has ended, but for a tombstone. ARGV: campaign.
-- Reply: 'missing', 'open', or 'done' and the tombstone: the digest and the counts. Complexity: O(pages in hand); the
-- pages themselves go by `trash`.
local id = text()
local known = redis.call('HGET', P .. 'tombstones', id)
if known then return answer({ 'done', known }) end
local s = stream(id)
if not s or not is_campaign(id) then return answer({ 'missing' }) end
if not s.finished_at and not is_over(s) then return answer({ 'open' }) end

-- Cancelling and expiry take no step per recipient: who is pending then reads as cancelled or expired.
local pending, retrying, lapsed, cancelled = s.pending, s.retrying, s.expired, 0
if held(s) == 'cancelled' then
  pending, retrying, cancelled = 0, 0, s.pending + s.retrying
elseif expired(s) then
  pending, retrying, lapsed = 0, 0, s.expired + s.pending + s.retrying
end
local tombstone = { redis.call('HGET', P .. 'stream:' .. id, 'digest') }
for _, count in ipairs({ s.total, pending, s.in_flight, s.sent, s.failed, retrying, s.unknown, s.suppressed, s.skipped,
  lapsed, cancelled }) do
  tombstone[#tombstone + 1] = str(count)
end
tombstone = table.concat(tombstone, ' ')
forget_stream(s)
redis.call('HSET', P .. 'tombstones', id, tombstone)
return finish({ 'done', tombstone })
