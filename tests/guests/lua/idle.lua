-- Declares no plugin.
require("polyplug")
