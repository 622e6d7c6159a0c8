-- What `settle` is told: runs of settlements, and deferrals.
local runs = {}
for i = 1, int() do
  runs[i] = { claim = text(), code = text(), more = text(), detail = text(), indexes = indexes() }
end
local defers = {}
for i = 1, int() do defers[i] = read_defer() end

