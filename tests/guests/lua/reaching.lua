-- Calls its host and others.
local polyplug = require("polyplug")
local Shape = polyplug.types("test.written@1").Shape

local Reaching = polyplug.plugin("test.reaching@1")

-- What a call gives. If it fails, this one's declared error is the failure as text.
local function told(call, ...)
  local is_fine, answer = pcall(call, ...)
  if not is_fine then polyplug.raise(tostring(answer)) end
  return answer
end

function Reaching:log(line)
  return told(function() return polyplug.host("test.logger@1"):log(line) end)
end

function Reaching:host_panics(words)
  told(function() polyplug.host("test.logger@1"):panics(words) end)
end

function Reaching:host_panics_through(words)
  polyplug.host("test.logger@1"):panics(words)
end

local function is_same(a, b)
  if type(a) ~= "table" then return a == b and tostring(a) == tostring(b) end
  for key, value in pairs(a) do
    if not is_same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local order = {
  id = 18446744073709551615ULL,
  customer = "Ångström & Söhne",
  items = { { name = "ink", count = 2, price = 1.25 }, { name = "", count = 0, price = 0 } },
  colour = "Green",
  shape = Shape.Dot(3),
  stock = { ink = 7, paper = 0 },
  size = { 3, "A4" },
}

local extremes = {
  int8 = { -128, 127 },
  int16 = { -32768, 32767 },
  int32 = { -2147483648, 2147483647 },
  int64 = { -9223372036854775807LL - 1, 9223372036854775807LL },
  nat8 = 255,
  nat16 = 65535,
  nat32 = 4294967295,
  nat64 = 18446744073709551615ULL,
  inexact = { -9007199254740993LL, 9007199254740993LL },
  beyond = 9223372036854775808ULL,
  infinite = { -math.huge, math.huge },
  finite = { 1.7976931348623157e308, 3.4028234663852886e38, 4.9406564584124654e-324 },
  letter = "\244\143\191\191",
  text = "Grüße, 世界 🦀 e\204\129 \0!",
  bytes = "\0\127\128\255",
}

local shapes = {
  Shape.Empty(),
  Shape.Dot(3),
  Shape.Line({ x = 0, y = 1 }, { x = 2, y = 3 }),
  Shape.Circle({ centre = { x = 0, y = 1 }, radius = 2 }),
  Shape.Named({ name = "flag", tags = { "a", "b" }, colour = "Red" }),
  Shape.Inside(),
  Shape.Inside(Shape.Inside(Shape.Empty())),
}

function Reaching:mirrored()
  local mirror = polyplug.host("test.mirror@1")
  local same = { is_same(mirror:order(order), order), is_same(mirror:extremes(extremes), extremes) }
  for _, shape in ipairs(shapes) do
    table.insert(same, is_same(mirror:shape({ tag = "ok", val = shape }), shape))
  end
  return same
end

function Reaching:many()
  local mirror, least = polyplug.host("test.mirror@1"), -9223372036854775807LL - 1
  return mirror:many(1, "zwei", true, least, 5.5, "6", nil, 18446744073709551615ULL, "Blue")
end

function Reaching:refused()
  local mirror = polyplug.host("test.mirror@1")
  local is_fine, refusal = pcall(mirror.shape, mirror, { tag = "err", val = { tag = "Full", val = { capacity = 7 } } })
  if is_fine or refusal.tag ~= "Full" then return "something else" end
  return "full " .. refusal.val.capacity
end

function Reaching:add(a, b)
  return told(function() return polyplug.peer("demo.calculator@1"):add(a, b) end)
end

function Reaching:add_again(a, b)
  return told(function()
    self.calculator = self.calculator or polyplug.peer("demo.calculator@1")
    return self.calculator:add(a, b)
  end)
end

function Reaching:divide(a, b)
  local is_fine, answer = pcall(function() return polyplug.peer("demo.calculator@1"):divide(a, b) end)
  if is_fine then return answer end
  if answer.tag == "DivisionByZero" then polyplug.raise("DivisionByZero") end
  if answer.tag == "Overflow" then polyplug.raise("Overflow " .. tostring(answer.val.at):gsub("LL", "")) end
  polyplug.raise(tostring(answer))
end

function Reaching:undeclared()
  return told(function() return polyplug.peer("test.stamp@1"):version() end)
end

function Reaching:nested(depth)
  if depth == 0 then return 0 end
  return told(function() return polyplug.host("test.echo@1"):call_back(depth) end) + 1
end
