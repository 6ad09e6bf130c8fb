-- Sorts the lines.
local polyplug = require("polyplug")
local Outcome = polyplug.types("editor.command@1").Outcome

local Sort = polyplug.plugin("editor.command@1", { singleton = true })

function Sort:help()
  return "sort: sorts the lines"
end

function Sort:run(text)
  local lines = {}
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then table.insert(lines, (line:gsub("\n$", ""))) end
  end
  table.sort(lines)
  return Outcome.Text(table.concat(lines, "\n") .. "\n")
end
