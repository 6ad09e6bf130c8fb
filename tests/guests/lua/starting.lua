-- Calls its host as it starts, and as its instances do.
local polyplug = require("polyplug")
local logger = polyplug.host("test.logger@1")
logger:log("the file runs")

local Counter = polyplug.plugin("test.counter@1")

function Counter:init()
  self.before = logger:log("an instance begins")
end

function Counter:add(by)
  return self.before + by
end
