-- Decides what became of a delivery of which nobody knows. ARGV: campaign, page, index, `send` or `resend`.
-- Reply: 1 if it was unknown. Complexity: O(page).
local s, number, index, event = stream(text()), int(), int(), text()
local p = s and page(s, number)
if not p or p.marks[index + 1] ~= UNKNOWN or not step(p, index, event) then return answer({ 0 }) end
if event == 'resend' then set(s, 'finished_at', false) end
page_changed(p)
local reply = finish({ 1 })
if roused then announce() end
return reply
