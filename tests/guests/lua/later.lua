-- Is for a minor version of a contract that the host does not have yet.
local Calculator = require("polyplug").plugin("demo.calculator@1.7")
function Calculator:add(a, b) return a + b end
