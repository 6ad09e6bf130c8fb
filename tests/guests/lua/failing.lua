-- Errors and exceptions.
local polyplug = require("polyplug")
local types = polyplug.types("test.failing@1")
local Refusal, Colour, Problem = types.Refusal, types.Colour, types.Problem

local Failing = polyplug.plugin("test.failing@1")

function Failing:variant(which)
  if which == "closed" then error(Refusal.Closed()) end
  if which == "full" then error(Refusal.Full({ capacity = 7 })) end
  if which == "other" then error(Refusal.Other("why", -9223372036854775807LL - 1)) end
  return 1
end

function Failing:case()
  error(Colour.Blue)
end

function Failing:record()
  error(Problem({ code = 9223372036854775807LL, text = "no" }))
end

function Failing:text()
  polyplug.raise("no: 5")
end

function Failing:number()
  polyplug.raise(18446744073709551615ULL)
end

function Failing:list()
  polyplug.raise({ "a", "b" })
end

function Failing:tuple()
  polyplug.raise({ 5, polyplug.null })
end

local function fail(words)
  error(words) -- here
end

function Failing:throw(words)
  fail(words)
end

function Failing:raise_instead(words)
  fail(words)
end

function Failing:raise_nothing(words)
  fail(words)
end

function Failing:calm(number)
  return number
end
