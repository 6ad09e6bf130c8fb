-- Is for a contract that nobody knows.
local Stranger = require("polyplug").plugin("test.nobody@1")
function Stranger:add(a, b) return a + b end
