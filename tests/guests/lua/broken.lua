-- Fails as it starts.
require("polyplug").plugin("test.stamp@1")
error("the start is no good") -- here
