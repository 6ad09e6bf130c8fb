local Greeter = require("polyplug").plugin("example.greeter@1")

function Greeter:init()
  self.count = 0
end

function Greeter:add(a, b)
  return a + b
end

function Greeter:greet(name)
  if name == "" then error("nobody to greet") end
  self.count = self.count + 1
  return "Good morning, " .. name .. "."
end

function Greeter:greeted()
  return self.count
end
