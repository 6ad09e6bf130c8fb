-- Version 2 of the bundle that is reloaded.
local polyplug = require("polyplug")

local Stamp = polyplug.plugin("test.stamp@1")

function Stamp:version()
  return 2
end

function Stamp:echo(text)
  return "2 " .. text
end

function Stamp:card(text)
  local repeated = {}
  for i = 1, #text do repeated[i] = 2 end
  return { version = 2, text = "2 " .. text, repeated = repeated, last = 2 }
end

function Stamp:give_up(text)
  error("2 " .. text)
end
