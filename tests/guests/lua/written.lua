-- Values as Lua writes them.
local polyplug = require("polyplug")
local Shape = polyplug.types("test.written@1").Shape
local null = polyplug.null

local Written = polyplug.plugin("test.written@1")

local function extremes()
  return {
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
end

-- The text of an integer says whether it is signed, too.
local function is_same(a, b)
  if type(a) ~= "table" then return a == b and tostring(a) == tostring(b) end
  if #a ~= #b then return false end
  for i = 1, #a do
    if not is_same(a[i], b[i]) then return false end
  end
  return true
end

function Written:extremes()
  return extremes()
end

function Written:differing(value)
  local names = {}
  for name, wanted in pairs(extremes()) do
    if not is_same(value[name], wanted) then table.insert(names, name) end
  end
  return names
end

function Written:float_kind(value)
  return { value ~= value, value == 0 and 1 / value < 0 }
end

function Written:odd_floats()
  return { 0 / 0, -0 }
end

function Written:total(order)
  local total = 0
  for _, item in ipairs(order.items) do total = total + item.count * item.price end
  return total
end

function Written:order()
  return {
    id = 18446744073709551615ULL,
    customer = "Ångström & Söhne",
    items = {
      { name = "ink", count = 2, price = 1.25 },
      { name = "paper", count = 500, price = 0.01 },
      { name = "pen", count = 1, price = 3 },
      { name = "", count = 0, price = 0 },
    },
    colour = "Green",
    shape = Shape.Dot(3),
    stock = { ink = 7, paper = 0 },
    size = { 3, "A4" },
  }
end

function Written:shapes()
  return {
    "Empty",
    Shape.Dot(3),
    Shape.Line({ x = 0, y = 1 }, { x = 2, y = 3 }),
    Shape.Circle({ centre = { x = 0, y = 1 }, radius = 2 }),
    { tag = "Named", val = { name = "flag", tags = { "a", "b" }, colour = "Red" } },
    Shape.Inside(),
    Shape.Inside(Shape.Inside(Shape.Empty())),
  }
end

local spell = {
  Empty = function() return "empty" end,
  Dot = function(size) return "dot " .. size end,
  Line = function(ends) return ("line %g %g %g %g"):format(ends[1].x, ends[1].y, ends[2].x, ends[2].y) end,
  Circle = function(circle) return ("circle %g %g %g"):format(circle.centre.x, circle.centre.y, circle.radius) end,
  Named = function(named) return ("%s %s %s"):format(named.name, table.concat(named.tags, ","), named.colour) end,
}

function Written:spell(shape)
  if shape.tag ~= "Inside" then return spell[shape.tag](shape.val) end
  return "inside " .. (shape.val and self:spell(shape.val) or "nothing")
end

function Written:next(colour)
  return ({ Red = "Green", Green = "Blue", Blue = "Red" })[colour]
end

-- An option as text. In lists, tuples and maps, none is `null`, for they can have no gaps.
local function told(value)
  if value == nil or value == null then return "none" end
  return tostring(value)
end

function Written:tell(options)
  local in_list, in_map = {}, {}
  for i, item in ipairs(options.in_list) do in_list[i] = told(item) end
  for key, value in pairs(options.in_map) do table.insert(in_map, key .. ":" .. told(value)) end
  table.sort(in_map)
  return {
    "plain=" .. told(options.plain),
    "nested=" .. (options.nested and "some " .. told(options.nested.val) or "none"),
    "in_list=" .. table.concat(in_list, ","),
    "in_tuple=" .. told(options.in_tuple[1]) .. " " .. options.in_tuple[2],
    "in_map=" .. table.concat(in_map, ","),
    "boxed=" .. told(options.boxed and options.boxed.name),
  }
end

function Written:options(with)
  if with then
    return {
      plain = 5,
      nested = { tag = "some", val = 5 },
      in_list = { null, "a", null },
      in_tuple = { false, 7 },
      in_map = { a = null, b = 5 },
      boxed = { name = "ink", count = 1, price = 0.5 },
    }
  end
  return {
    nested = { tag = "some" },
    in_list = { null, null, null },
    in_tuple = { null, 7 },
    in_map = { a = null, b = null },
    boxed = null,
  }
end

function Written:empty()
  return { "", "", {}, {} }
end

function Written:measure(text, bytes)
  return { #text, #bytes }
end

Written["repeat"] = function(_, text, times)
  return text:rep(times)
end

function Written:many(a, b, c, d, e, f, g, h, i, j)
  return { a = a, b = b, c = c, d = d, e = e, f = f, g = g, h = h, i = i, j = j }
end

function Written:fill(count)
  return ("\255"):rep(count)
end
