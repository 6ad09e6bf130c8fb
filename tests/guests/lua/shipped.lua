-- Is for a contract that only its bundle describes.
local Shipped = require("polyplug").plugin("test.shipped@1")
function Shipped:version() return 1 end
function Shipped:echo(text) return "1 " .. text end
function Shipped:card(text) return { version = 1, text = "1 " .. text, repeated = {}, last = 1 } end
function Shipped:give_up(text) error(text) end
