return { polite = function(name) return "dear " .. name end }
