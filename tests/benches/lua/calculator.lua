-- Without integers of 64 bits in its text, for which LuaJIT opens a library of its own.
local polyplug = require("polyplug")

local MathError = polyplug.types("demo.calculator@1").MathError
local Calculator = polyplug.plugin("demo.calculator@1")

function Calculator:add(a, b)
  return a + b
end

function Calculator:divide(a, b)
  if b == 0 then error(MathError.DivisionByZero()) end
  return a / b
end

function Calculator:greet(name)
  return "Hello, " .. name .. "!"
end

function Calculator:sum(data)
  local sum = 0
  for i = 1, #data do sum = sum + data:byte(i) end
  return sum
end
