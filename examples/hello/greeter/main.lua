local Greeter = require("polyplug").plugin("hello.greeter@1")

function Greeter:greet(name)
  return "Hello, " .. name .. "!"
end
