local Trees = require("polyplug").plugin("bench.trees@1")

function Trees:tree(value)
  return value
end
