-- Campaigns, those submitted first first. ARGV: how many to pass over, how many to list. Reply: their ids.
-- Complexity: O(campaigns listed).
local from, count = int(), int()
return answer({ redis.call('ZRANGE', P .. 'campaigns', from, from + count - 1) })
