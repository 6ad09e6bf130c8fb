-- Has a method whose name is misspelt.
local Calculator = require("polyplug").plugin("demo.calculator@1")
function Calculator:add(a, b) return a + b end
function Calculator:divdie(a, b) return a / b end
function Calculator:greet(name) return name end
function Calculator:sum() return 0 end
