-- All campaigns, those submitted first first. Reply: their ids. Complexity: O(campaigns).
return { seq, now, redis.call('ZRANGE', P .. 'campaigns', 0, -1) }
