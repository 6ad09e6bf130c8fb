-- Returns what it should not.
local polyplug = require("polyplug")

local Wrong = polyplug.plugin("test.wrong@1")

local changes = {
  nothing = function() end,
  item_name = function(order) order.items[4].name = 5 end,
  item_lacks = function(order) order.items[1].price = nil end,
  item_misspelt = function(order) order.items[1] = { name = "ink", count = 1, prize = 2 } end,
  item_text = function(order) order.items[2] = "paper" end,
  count_large = function(order) order.items[1].count = 4294967296 end,
  count_negative = function(order) order.items[3].count = -1 end,
  count_fraction = function(order) order.items[3].count = 1.5 end,
  count_huge = function(order) order.items[3].count = 1e300 end,
  count_nan = function(order) order.items[3].count = 0 / 0 end,
  items_text = function(order) order.items = "ink" end,
  items_record = function(order) order.items = { name = "ink" } end,
  note_number = function(order) order.note = 5 end,
  colour_unknown = function(order) order.colour = "Purple" end,
  colour_number = function(order) order.colour = 1 end,
  shape_unknown = function(order) order.shape = { tag = "Dott", val = 1 } end,
  shape_text = function(order) order.shape = { tag = "Dot", val = "x" } end,
  shape_range = function(order) order.shape = { tag = "Dot", val = 256 } end,
  shape_field = function(order) order.shape = { tag = "Circle", val = { centre = { x = 0, y = 0 }, radius = "x" } } end,
  shape_part = function(order) order.shape = { tag = "Line", val = { { x = 0, y = 0 }, { x = 0 } } } end,
  stock_value = function(order) order.stock = { ink = -1 } end,
  stock_key = function(order) order.stock = { [1] = 1 } end,
  stock_text = function(order) order.stock = "ink" end,
  size_short = function(order) order.size = { 3 } end,
  size_long = function(order) order.size = { 3, "A4", 5 } end,
  size_type = function(order) order.size = { 3, 4 } end,
  customer_lacks = function(order) order.customer = nil end,
  id_negative = function(order) order.id = -1 end,
  id_signed = function(order) order.id = -1LL end,
}

local function wrong_order(what)
  local order = {
    id = 1,
    customer = "x",
    items = {
      { name = "ink", count = 2, price = 1.25 },
      { name = "paper", count = 500, price = 0.01 },
      { name = "pen", count = 1, price = 3 },
      { name = "", count = 0, price = 0 },
    },
    colour = "Green",
    shape = { tag = "Dot", val = 3 },
    stock = { ink = 7 },
    size = { 3, "A4" },
  }
  changes[what](order)
  return order
end

function Wrong:order(what)
  if what == "none" then return end
  if what == "text" then return "an order" end
  return wrong_order(what)
end

-- The values that methods return, by what they are asked for.
local values = {
  none = nil,
  number = 1,
  text = "x",
  texts = "two",
  empty = "",
  list = { "x" },
  large = 128,
  negative = -1,
  fraction = 0.5,
  nan = 0 / 0,
  infinite = math.huge,
  beyond = 2 ^ 63,
  far_beyond = 2 ^ 64,
  unsigned = 9223372036854775808ULL,
  huge = 1e39,
  flag = true,
  broken_text = "x\255",
  wrong_bytes = { 1, 256 },
  unknown_case = { tag = "Blob" },
  no_case = { val = 1 },
}

for _, name in ipairs({
  "boolean", "int8", "nat32", "int64", "nat64", "float32", "letter", "text", "bytes", "nothing", "shape",
}) do
  Wrong[name] = function(_, what) return values[what] end
end

function Wrong:failure(what)
  if what == "unknown" then error({ tag = "Shut" }) end
  if what == "field" then error({ tag = "Full", val = { capacity = -1 } }) end
  if what == "type" then polyplug.raise(5) end
  return "x"
end

function Wrong:undeclared()
  error({ tag = "Closed" })
end

function Wrong:recurse()
  return 1 + self:recurse()
end

function Wrong:cyclic()
  local tree = { value = 1, children = {} }
  tree.children[1] = tree
  return tree
end

local listeners = {
  number = 5,
  method = {},
  result = { hear = function() return "x" end },
}

function Wrong:tune(what)
  local radio = polyplug.host("test.radio@1")
  local is_fine, problem = pcall(radio.tune, radio, listeners[what])
  return is_fine and "fine" or tostring(problem)
end

function Wrong:argument(what)
  local mirror = polyplug.host("test.mirror@1")
  local is_fine, problem
  if what == "few" then
    is_fine, problem = pcall(mirror.order, mirror)
  elseif what == "many" then
    is_fine, problem = pcall(mirror.order, mirror, wrong_order("nothing"), 5)
  else
    is_fine, problem = pcall(mirror.order, mirror, wrong_order(what))
  end
  return is_fine and "fine" or tostring(problem)
end

function Wrong:calm(number)
  return number
end

local Clinging = polyplug.plugin("test.clinging@1")

function Clinging:cling(progress)
  self.progress = progress
  return progress:step(0, "now")
end

function Clinging:later()
  local is_fine, problem = pcall(self.progress.step, self.progress, 1, "later")
  return is_fine and "fine" or tostring(problem)
end

function Clinging:entrust(progress)
  local peer = polyplug.peer("test.objects@1")
  local is_fine, problem = pcall(peer.keep, peer, progress)
  return is_fine and "fine" or tostring(problem)
end

function Clinging:mistake(progress)
  local radio = polyplug.host("test.radio@1")
  local is_fine, problem = pcall(radio.tune, radio, progress)
  return is_fine and "fine" or tostring(problem)
end
