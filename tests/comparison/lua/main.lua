local polyplug = require("polyplug")

local Calculator = polyplug.plugin("comparison.calculator@1")

function Calculator:add(a, b)
  return a + b
end

function Calculator:greet(name)
  return "Hello, " .. name .. "!"
end

function Calculator:sum(data)
  local sum = 0
  for i = 1, #data do sum = sum + data:byte(i) end
  return sum
end
