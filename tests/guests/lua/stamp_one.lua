-- Version 1 of the bundle that is reloaded.
local polyplug = require("polyplug")

local Stamp = polyplug.plugin("test.stamp@1")

function Stamp:version()
  return 1
end

function Stamp:echo(text)
  return "1 " .. text
end

function Stamp:card(text)
  local repeated = {}
  for i = 1, #text do repeated[i] = 1 end
  return { version = 1, text = "1 " .. text, repeated = repeated, last = 1 }
end

function Stamp:give_up(text)
  error("1 " .. text)
end
