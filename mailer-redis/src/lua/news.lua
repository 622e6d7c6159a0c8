-- Tells the workers of all processes that there may be something for them. A hint: they find it with their next tick
-- too. So a user who may not publish has all else done, though this comes after the first write.
local function announce()
  redis.pcall('PUBLISH', P .. 'news', '')
end

