-- What `settle` answers: a string of results, then for each deferral the one that holds, then what was halted.
local reply = { table.concat(results) }
for _, d in ipairs(defers) do reply[#reply + 1] = defer_as_asked(d) end
for _, halt in ipairs(halted) do reply[#reply + 1] = halt end
local answered = finish(reply)
if roused then announce() end
return answered
