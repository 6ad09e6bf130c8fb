-- Loads other files of its bundle.
local polyplug = require("polyplug")
local words = require("words")

local Modules = polyplug.plugin("test.modules@1")

function Modules:greet(name)
  return words.greet(name)
end

function Modules:load(name)
  local is_fine, problem = pcall(require, name)
  if not is_fine then return tostring(problem) end
end
