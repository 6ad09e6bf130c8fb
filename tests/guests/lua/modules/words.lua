local names = require("inner.names")
return { greet = function(name) return "Hello, " .. names.polite(name) .. "!" end }
