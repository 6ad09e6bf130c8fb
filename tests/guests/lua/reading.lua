-- Reads its settings as it starts.
local polyplug = require("polyplug")

local Reading = polyplug.plugin("test.reading@1")

function Reading:init(context)
  local config = context.config
  if config.title == "" then error("a title is needed") end
  self.config, self.name = config, context.bundle
end

function Reading:title() return self.config.title end
function Reading:limits() return { self.config.limits.lines, self.config.limits.share } end
function Reading:words() return self.config.words end
function Reading:verbose() return self.config.verbose or false end
function Reading:bundle() return self.name end
