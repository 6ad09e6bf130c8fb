local polyplug = require("polyplug")
local Tickets = polyplug.plugin("queue.tickets@1")

function Tickets:init()
  self.count = 0
end

function Tickets:next()
  self.count = self.count + 1
  return { number = self.count, text = "Welcome! Your number is " .. self.count .. "." }
end

function Tickets:save()
  return tostring(self.count)
end

function Tickets:restore(saved)
  self.count = tonumber(saved)
end
