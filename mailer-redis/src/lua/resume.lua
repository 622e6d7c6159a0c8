-- Ends the deferrals of a scope that the policy did not cause. ARGV: the scope. Complexity: O(1).
local scope = text()
local name, own = book_of(scope)
local b = book(name)
for field in pairs(b.slots) do
  if string.sub(field, 1, #scope + 1) == scope .. '|' and string.sub(field, -2) == '|o' then
    redis.call('HDEL', P .. name, field)
    b.slots[field] = nil
  end
end
local s = own and stream(own)
if s then touch(s) end
return finish({})
