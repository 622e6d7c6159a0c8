-- A counter that cannot be read is found before anything is written.
for _, run in ipairs(runs) do
  local c = run.code == 'n' and claim(run.claim)
  for _, index in ipairs(c and run.indexes or {}) do
    local b = begun(c, index)
    if b and b.receipt then limits_check(b.receipt) end
  end
end

