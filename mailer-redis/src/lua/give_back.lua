-- Tokens that were not used go back to the counters that gave them.
for _, b in ipairs(returned) do limits_return(b.receipt, 1, b.at) end
limits_write()

