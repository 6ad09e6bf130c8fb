-- Implements an earlier minor version of its contract.
local Calculator = require("polyplug").plugin("demo.calculator@1.1")
function Calculator:add(a, b) return a + b end
function Calculator:divide(a, b) return a / b end
function Calculator:greet(name) return "Hello, " .. name .. "!" end
