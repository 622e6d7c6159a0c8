-- The policy. Reply: its version, and the JSON if there is one. Complexity: O(1).
return answer({ version, has_policy and redis.call('GET', P .. 'policy') or '' })
