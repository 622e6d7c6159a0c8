-- Sets or removes the policy, if its version is the one that the caller knows.
-- ARGV: that version; the policy as JSON, '' to remove it; waits before further attempts; the wait after relay trouble.
-- Reply: 'done' and the version, or 'changed'. Complexity: O(1): what the old policy caused ends with its epoch.
local known, stored, retry, trouble = int(), text(), text(), text()
if known ~= version then return answer({ 'changed' }) end
if stored == '' then
  if not has_policy then return answer({ 'done', version }) end
  redis.call('DEL', P .. 'policy')
  redis.call('HSET', META, 'version', version + 1, 'policy', 0, 'retry', retry, 'trouble', trouble)
else
  redis.call('SET', P .. 'policy', stored)
  redis.call('HSET', META, 'version', version + 1, 'epoch', epoch + 1, 'policy', 1, 'retry', retry, 'trouble', trouble)
end
local reply = confirm({ 'done', version + 1 })
if stored ~= '' then announce() end
return reply
