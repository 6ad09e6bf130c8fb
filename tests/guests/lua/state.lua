-- Plugins with state: one that keeps it over a reload, and one that does not.
local polyplug = require("polyplug")

local Counter = polyplug.plugin("test.counter@1")

function Counter:init()
  self.count = 0
end

function Counter:add(by)
  self.count = self.count + by
  return self.count
end

function Counter:save()
  if self.count == 665 then error("665 cannot be told") end
  return tostring(self.count)
end

function Counter:restore(state, from)
  if state == "666" then error("666 brings bad luck, in version " .. from:match("^%d+%.%d+")) end
  self.count = tonumber(state)
end

local made = 0

local Singleton = polyplug.plugin("test.singleton@1", { singleton = true })

function Singleton:init()
  made = made + 1
  self.asked = 0
end

function Singleton:count()
  self.asked = self.asked + 1
  return self.asked
end

function Singleton:made()
  return made
end
