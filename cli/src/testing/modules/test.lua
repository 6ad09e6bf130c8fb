-- The module `polyplug.test`: tests of a bundle, run by `polyplug test`.

local polyplug = require("polyplug")

local M = {}

local Failure, Skip = {}, {}
local cases, settings = {}, nil
-- The groups that `describe` has opened, the innermost last: `{ name, before, after }`.
local groups = { { name = "", before = {}, after = {} } }

-- Places. There is no library `debug`: `error` adds the place of a level to its message.

local OWN_FILE = "polyplug/test.lua"

-- Returns the path of a file in the test bundle, which Lua may have shortened at its beginning.
local function relative(file)
  local directory = polyplug.directory
  if file:sub(1, #directory) == directory then file = file:sub(#directory + 2) end
  file = file:gsub("\\", "/")
  local name = directory:gsub("\\", "/"):match("([^/]+)$")
  if file:sub(1, 3) == "..." then
    file = file:match(".*/" .. name:gsub("%p", "%%%0") .. "/(.+)$") or file:match("([^/]+)$") or file
  end
  return file
end

local function read_place(text)
  local file, line, rest = text:match("^([^\n]-):(%d+): (.*)$")
  -- The path on Windows begins with a letter and a colon.
  if file and #file == 1 then
    file, line, rest = text:match("^(%a:[^\n]-):(%d+): (.*)$")
  end
  if file then return { file = relative(file), line = tonumber(line) }, rest end
end

-- Returns the places of the calls that are running, the innermost first, without those of this file.
local function calls()
  local places = {}
  for level = 2, 60 do
    local _, text = pcall(error, "", level)
    local place = read_place(text)
    if place and place.file ~= OWN_FILE then places[#places + 1] = place end
  end
  return places
end

local function trace_of(places)
  if #places < 2 then return nil end
  local lines = {}
  for number, place in ipairs(places) do lines[number] = "called at tests/" .. place.file .. ":" .. place.line end
  return table.concat(lines, "\n")
end

-- Values as text.

local function key_text(key)
  if type(key) == "string" and key:match("^[%a_][%w_]*$") then return key end
  return "[" .. (type(key) == "string" and ("%q"):format(key) or tostring(key)) .. "]"
end

local function format(value, indent, seen)
  indent, seen = indent or "", seen or {}
  if type(value) == "string" then
    return (("%q"):format(value):gsub("\\\n", "\\n"):gsub("\r", "\\r"))
  end
  if type(value) ~= "table" then return value == polyplug.null and "null" or tostring(value) end
  if seen[value] then return "{ .. the table that it is in .. }" end
  if next(value) == nil then return "{}" end
  seen[value] = true
  local inner, lines, count = indent .. "  ", {}, #value
  for number = 1, count do lines[number] = inner .. format(value[number], inner, seen) .. "," end
  local keys = {}
  for key in pairs(value) do
    local is_item = type(key) == "number" and key >= 1 and key <= count and key % 1 == 0
    if not is_item then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
    return type(a) .. tostring(a) < type(b) .. tostring(b)
  end)
  for _, key in ipairs(keys) do
    lines[#lines + 1] = inner .. key_text(key) .. " = " .. format(value[key], inner, seen) .. ","
  end
  seen[value] = nil
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

local function shown(value)
  local text = format(value)
  return #text <= 60 and text:gsub("%s*\n%s*", " "):gsub(", }", " }") or text
end

-- Returns whether two values are equal; tables are if their keys and values are.
local function same(one, other, seen)
  if one == other or (one ~= one and other ~= other) then return true end
  if type(one) ~= "table" or type(other) ~= "table" then return false end
  seen = seen or {}
  if seen[one] == other then return true end
  seen[one] = other
  for key, value in pairs(one) do
    if not same(value, other[key], seen) then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

-- Assertions.

local function fail(message, note, values)
  if note ~= nil then message = tostring(note) .. ": " .. message end
  local places = calls()
  error(setmetatable({ message = message, values = values, place = places[1], trace = trace_of(places) }, Failure))
end

function M.fail(message)
  fail(message == nil and "failed" or tostring(message))
end

function M.equals(actual, expected, note)
  if same(actual, expected) then return end
  local values = { expected = format(expected), actual = format(actual) }
  if type(actual) == "string" and type(expected) == "string" and (actual:find("\n") or expected:find("\n")) then
    values = { expected = expected, actual = actual }
  end
  fail("the values differ", note, values)
end

function M.differs(actual, unexpected, note)
  if same(actual, unexpected) then fail("the value is " .. shown(actual), note) end
end

function M.is_true(value, note)
  if value ~= true then fail("expected true, got " .. shown(value), note) end
end

function M.is_false(value, note)
  if value ~= false then fail("expected false, got " .. shown(value), note) end
end

function M.is_nil(value, note)
  if value ~= nil then fail("expected nil, got " .. shown(value), note) end
end

function M.near(actual, expected, tolerance, note)
  tolerance = tolerance or 1e-9
  if type(actual) ~= "number" or not (math.abs(actual - expected) <= tolerance) then
    fail("expected " .. shown(expected) .. " within " .. tostring(tolerance) .. ", got " .. shown(actual), note)
  end
end

function M.contains(whole, part, note)
  if type(whole) == "string" then
    if whole:find(tostring(part), 1, true) then return end
  elseif type(whole) == "table" then
    for _, item in pairs(whole) do
      if same(item, part) then return end
    end
  end
  fail(shown(whole) .. " does not contain " .. shown(part), note)
end

-- Calls `f`, which has to raise an error, and returns the error. `expected` is a part of the error's text, a declared error,
-- or a table with some of the error's fields, such as { kind = "exception" }.
function M.raises(f, expected, note)
  local ok, raised = pcall(f)
  if ok then fail("no error was raised", note) end
  local mark = type(raised) == "table" and getmetatable(raised)
  if mark == Failure or mark == Skip then error(raised, 0) end
  if expected == nil or same(raised, expected) then return raised end
  if type(expected) == "string" then
    local is_value = type(raised) == "table" and getmetatable(raised) == nil
    local text = is_value and format(raised) or tostring(raised)
    if text:find(expected, 1, true) then return raised end
    fail("another error was raised", note, { expected = expected, actual = text })
  end
  if type(expected) == "table" and type(raised) == "userdata" then
    local matches = true
    for key, value in pairs(expected) do
      local ok, field = pcall(function() return raised[key] end)
      matches = matches and ok and same(field, value)
    end
    if matches then return raised end
    fail("another error was raised", note, { expected = format(expected), actual = tostring(raised) })
  end
  fail("another error was raised", note, { expected = format(expected), actual = format(raised) })
end

-- Leaves out the rest of the test.
function M.skip(reason)
  error(setmetatable({ reason = reason == nil and "" or tostring(reason) }, Skip))
end

-- Declarations.

local function check(value, kind, what)
  if type(value) ~= kind then error(what .. " is expected, not " .. type(value), 3) end
end

local function hooks(name)
  local found = {}
  for _, group in ipairs(groups) do
    for _, f in ipairs(group[name]) do found[#found + 1] = f end
  end
  return found
end

function M.test(name, f)
  check(name, "string", "the name of a test")
  check(f, "function", "the function of the test")
  local names = {}
  for number = 2, #groups do names[#names + 1] = groups[number].name end
  names[#names + 1] = name
  local group_list = { unpack(groups) }
  cases[#cases + 1] = { name = table.concat(names, " > "), f = f, groups = group_list, place = calls()[1] }
end

M.it = M.test

function M.describe(name, f)
  check(name, "string", "the name of a group of tests")
  check(f, "function", "the function that declares the tests of the group")
  groups[#groups + 1] = { name = name, before = {}, after = {} }
  f()
  groups[#groups] = nil
end

function M.before_each(f)
  check(f, "function", "a function")
  table.insert(groups[#groups].before, f)
end

function M.after_each(f)
  check(f, "function", "a function")
  table.insert(groups[#groups].after, 1, f)
end

-- Returns a new instance of a plugin of the bundle under test.
function M.instance(contract)
  check(contract, "string", "the name of a contract, such as \"demo.greeter@1\",")
  local ok, found = pcall(polyplug.peer, contract)
  if ok then return found end
  error(tostring(found), 2)
end

-- Has the functions of a table serve as a host contract, or as a plugin of another bundle, for the bundle under test.
-- Returns the table, which is `self` of the functions.
function M.stand_in(contract, methods)
  check(contract, "string", "the name of a contract, such as \"demo.log@1\",")
  check(methods, "table", "a table with the contract's methods")
  local class = polyplug.plugin(contract, { singleton = true, name = "stand-in for " .. contract })
  local source = methods
  while type(source) == "table" do
    for name, f in pairs(source) do
      if type(name) == "string" and type(f) == "function" and class[name] == nil then
        class[name] = function(_, ...) return methods[name](methods, ...) end
      end
    end
    local mt = getmetatable(source)
    source = type(mt) == "table" and mt.__index or nil
  end
  return methods
end

-- Sets the settings with which the bundle under test is loaded.
function M.settings(table)
  check(table, "table", "a table with settings")
  settings = table
end

-- The plugin that `polyplug test` calls.

local function json(value)
  if type(value) == "table" then
    local parts = {}
    if #value > 0 then
      for number, item in ipairs(value) do parts[number] = json(item) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, item in pairs(value) do parts[#parts + 1] = json(tostring(key)) .. ":" .. json(item) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "string" then
    local escaped = value:gsub('[%c"\\]', function(letter) return ("\\u%04x"):format(letter:byte()) end)
    return '"' .. escaped .. '"'
  end
  if type(value) == "number" and value % 1 == 0 then return ("%.0f"):format(value) end
  return tostring(value)
end

-- Turns what a test has raised into a failure. Runs before the calls of the test end, so that their places are known.
local function explain(raised)
  local mark = type(raised) == "table" and getmetatable(raised)
  if mark == Failure or mark == Skip then return raised end
  local places = calls()
  local message, place
  if type(raised) == "string" then
    place, message = read_place(raised)
    message = message or raised
  elseif type(raised) == "table" and not (mark and mark.__tostring) then
    message = "raised " .. format(raised)
  else
    message = tostring(raised)
  end
  return setmetatable({ message = message, place = place or places[1], trace = trace_of(places) }, Failure)
end

local function run_all(case)
  local outer = groups
  groups = case.groups
  local before, after = hooks("before"), {}
  for number = #groups, 1, -1 do
    for _, f in ipairs(groups[number].after) do after[#after + 1] = f end
  end
  groups = outer
  local ok, raised = xpcall(function()
    for _, f in ipairs(before) do f() end
    case.f()
  end, explain)
  for _, f in ipairs(after) do
    local after_ok, after_raised = xpcall(f, explain)
    if ok and not after_ok then ok, raised = false, after_raised end
  end
  return ok, raised
end

local Tests = polyplug.plugin("polyplug.tests@1", { singleton = true, name = "tests" })

function Tests:cases()
  local list = {}
  for number, case in ipairs(cases) do list[number] = { name = case.name, place = case.place } end
  return list
end

function Tests:settings()
  if settings then return next(settings) == nil and "{}" or json(settings) end
end

function Tests:run(number)
  local ok, raised = run_all(cases[number + 1])
  if ok then return {} end
  if getmetatable(raised) == Skip then return { skipped = raised.reason } end
  return { failure = { message = raised.message, place = raised.place, values = raised.values, trace = raised.trace } }
end

return M
