-- Removes up to 200 pages of what was forgotten. Reply: 1 if there is more. Complexity: O(200).
return finish({ empty_trash() and 1 or 0 }, true)
