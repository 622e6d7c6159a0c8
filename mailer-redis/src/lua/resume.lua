-- Ends the deferrals of a scope that the policy did not cause. ARGV: the scope. Complexity: O(1).
local scope = text()
local name, own = book_of(scope)
for _, lane in ipairs({ '*', 'test', 'transactional', 'bulk' }) do
  local field = scope .. '|' .. lane .. '|o'
  roused = redis.call('HDEL', P .. name, field) == 1 or roused
  book(name).slots[field] = false
end
local s = own and stream(own)
if s then touch(s) end
local reply = finish({})
if roused then announce() end
return reply
