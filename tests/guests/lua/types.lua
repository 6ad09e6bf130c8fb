-- Returns what it is given, of every type; and measures how deep values are.
local polyplug = require("polyplug")

local names = [[
  boolean int8 int16 int32 int64 nat8 nat16 nat32 nat64 float32 float64 letter text bytes

  list_boolean list_int8 list_int16 list_int32 list_int64 list_nat16 list_nat32 list_nat64 list_float32 list_float64
  list_letter list_text list_bytes list_list list_point list_pixel list_mixed list_pair list_nested list_colour list_shape
  list_option list_box list_option_box list_tuple list_plain_tuple list_map list_result

  option_unit option_boolean option_int8 option_int16 option_int32 option_int64 option_nat8 option_nat16 option_nat32
  option_nat64 option_float32 option_float64 option_letter option_text option_bytes option_list option_point option_mixed
  option_colour option_shape option_tuple option_map option_result option_option option_option_text option_option_option
  option_box option_box_text option_box_box option_option_box option_box_option boxed boxed_shape

  tuple1 tuple2 tuple3 tuple4 tuple5 tuple6 tuple7 tuple8

  hash_boolean hash_int8 hash_int16 hash_int32 hash_int64 hash_nat8 hash_nat16 hash_nat32 hash_nat64 hash_letter hash_text
  tree_boolean tree_int8 tree_int16 tree_int32 tree_int64 tree_nat8 tree_nat16 tree_nat32 tree_nat64 tree_letter tree_text

  point pixel mixed wrapper pair nested colour shape

  result_unit result_unit_text result_number result_small result_record result_list result_result

  tree chain option_box_chain folder family document
]]

local Types = polyplug.plugin("test.types@1")
for name in names:gmatch("%S+") do
  Types[name] = function(_, value) return value end
end

-- Methods that return a result raise its error.
for _, name in ipairs({ "unit", "unit_text", "number", "small", "record", "list", "result" }) do
  Types["result_" .. name] = function(_, value)
    if value.tag == "err" then polyplug.raise(value.val) end
    return value.val
  end
end

local Depth = polyplug.plugin("test.depth@1")

local function deepest(list, measure)
  local depth = 0
  for _, part in pairs(list) do depth = math.max(depth, measure(part)) end
  return depth + 1
end

local function tree(value)
  return deepest(value.children, tree)
end

local function folder(value)
  return deepest(value.folders, folder)
end

local function count(value, inner)
  local number = 0
  while value do
    number, value = number + 1, value[inner]
  end
  return number
end

function Depth:measure_tree(value) return tree(value) end
function Depth:measure_folder(value) return folder(value) end
function Depth:measure_chain(value) return count(value, "next") end
function Depth:measure_onion(value) return count(value, "inside") end

function Depth:tree(depth)
  local value = { value = 0, children = {} }
  for i = 1, depth - 1 do value = { value = i, children = { value } } end
  return value
end

function Depth:chain(length)
  local value = { number = 0 }
  for i = 1, length - 1 do value = { number = i, next = value } end
  return value
end

function Depth:onion(layers, rings)
  local value
  for _ = 1, layers do value = { rings = rings and { 1.5 } or {}, skin = "\1\2", inside = value } end
  return value
end

function Depth:folder(depth)
  local value
  for _ = 1, depth do value = { size = 1, folders = { inner = value }, versions = {} } end
  return value
end
