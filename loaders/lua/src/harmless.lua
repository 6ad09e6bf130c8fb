-- Harmless forms of what popular libraries touch in Lua's standard library, and what the safe part leaves out because it
-- reaches outside of the VM. There are no files: what opens one answers as if there were none. What is written to the
-- standard streams goes to the host's log, which `write` writes to.
local write, flush, traceback, getinfo, set_metatable, is_windows = ...
local error, getmetatable, ipairs, pairs, rawget, select, setfenv, setmetatable, tostring, type =
  error, getmetatable, ipairs, pairs, rawget, select, setfenv, setmetatable, tostring, type
local find, gmatch, gsub = string.find, string.gmatch, string.gsub
local globals = _G

-- io ----------------------------------------------------------------------------------------------------------------

local File = { __name = "FILE*" }
local files = setmetatable({}, { __mode = "k" })
local no_files = "a bundle has no files here (the default standard library): take data as arguments, or from a host contract"

local function checked(file, method)
  local name = files[file]
  if not name then
    error("bad argument #1 to '" .. method .. "' (FILE* expected, got " .. type(file) .. "): write file:" .. method .. "(..)", 3)
  end
  return name
end

local methods = {}
File.__index = methods

function File:__tostring()
  return "file (" .. files[self] .. ")"
end

local function write_all(file, name, ...)
  for i = 1, select("#", ...) do
    local part = select(i, ...)
    if type(part) ~= "string" and type(part) ~= "number" then
      error("bad argument #" .. i .. " to 'write' (string expected, got " .. type(part) .. ")", 3)
    end
    if name == "stdin" then return nil, "the standard input is read only", 9 end
    write(name == "stderr", tostring(part))
  end
  return file
end

function methods:write(...)
  return write_all(self, checked(self, "write"), ...)
end

function methods:flush()
  local name = checked(self, "flush")
  if name ~= "stdin" then flush(name == "stderr") end
  return true
end

function methods:close()
  self:flush()
  return nil, "the standard streams stay open", 9
end

function methods:read()
  if checked(self, "read") ~= "stdin" then return nil, "the stream is for writing only", 9 end
  return nil
end

function methods:lines()
  checked(self, "lines")
  return function() return nil end
end

function methods:seek()
  checked(self, "seek")
  return nil, "Illegal seek", 29
end

function methods:setvbuf()
  checked(self, "setvbuf")
  return true
end

local function stream(name)
  local file = setmetatable({}, File)
  files[file] = name
  return file
end

io = { stdin = stream("stdin"), stdout = stream("stdout"), stderr = stream("stderr") }

function io.write(...)
  return write_all(io.stdout, "stdout", ...)
end

function io.read()
  return nil
end

function io.open(name)
  return nil, tostring(name) .. ": " .. no_files, 2
end

function io.popen(command)
  return nil, tostring(command) .. ": a bundle starts no other programs here (the default standard library)", 1
end

function io.tmpfile()
  return nil, no_files, 2
end

function io.lines(name)
  if name == nil then return function() return nil end end
  error(tostring(name) .. ": " .. no_files, 2)
end

local function standard(name)
  return function(file)
    if file == nil or file == io[name] then return io[name] end
    error(tostring(file) .. ": " .. no_files, 2)
  end
end

io.input, io.output = standard("stdin"), standard("stdout")

function io.close(file)
  return (file or io.stdout):close()
end

function io.type(file)
  return files[file] and "file" or nil
end

-- os ----------------------------------------------------------------------------------------------------------------

function os.getenv()
  return nil
end

function os.exit()
  error("os.exit: a bundle cannot end the program that it is part of", 2)
end

-- debug -------------------------------------------------------------------------------------------------------------

debug = { traceback = traceback }

-- Tells the places and names of functions, and gives access to none.
function debug.getinfo(...)
  local thread, place, what = ...
  if type(thread) ~= "thread" then thread, place, what = nil, thread, place end
  what = gsub(what or "nSlu", "[^nSlu]", "")
  local info
  if thread then
    info = getinfo(thread, place, what)
  else
    -- Level 1 is the caller of this function.
    info = getinfo(type(place) == "number" and place + 1 or place, what)
  end
  return info
end

function debug.getmetatable(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable or nil
end

-- Gives no userdata another metatable: a finalizer would be called where nothing expects it, and the loader's own objects
-- are known by theirs.
function debug.setmetatable(value, metatable)
  local kind = type(value)
  if kind == "table" then return setmetatable(value, metatable) end
  if kind == "userdata" or kind == "cdata" then
    error("bad argument #1 to 'setmetatable' (a bundle sets no metatable of " .. kind .. ")", 2)
  end
  return set_metatable(value, metatable)
end

-- There are no hooks.
function debug.gethook() end

function debug.sethook() end

-- package -----------------------------------------------------------------------------------------------------------

local loaded = {
  _G = globals, bit = bit, coroutine = coroutine, debug = debug, io = io, math = math, os = os, string = string,
  table = table,
}

package = {
  config = (is_windows and "\\" or "/") .. "\n;\n?\n!\n-\n",
  cpath = "",
  loaded = loaded,
  loaders = {},
  path = "",
  preload = {},
}
package.searchers = package.loaders
loaded.package = package

function package.searchpath(name)
  return nil, "\n\tno file for '" .. tostring(name) .. "': " .. no_files
end

function package.loadlib(path)
  return nil, tostring(path) .. ": a bundle in Lua loads no libraries here (the default standard library)", "absent"
end

function package.seeall(module)
  local metatable = getmetatable(module)
  if not metatable then
    metatable = {}
    setmetatable(module, metatable)
  end
  metatable.__index = globals
end

-- Makes the calling file a module, as files for Lua 5.1 do.
function module(name, ...)
  local self = loaded[name]
  if type(self) ~= "table" then
    self = globals
    for part in gmatch(name, "[^.]+") do
      local inner = rawget(self, part)
      if inner == nil then
        inner = {}
        self[part] = inner
      elseif type(inner) ~= "table" then
        error("name conflict for module '" .. name .. "'", 2)
      end
      self = inner
    end
    loaded[name] = self
  end
  if rawget(self, "_NAME") == nil then
    self._M, self._NAME = self, name
    self._PACKAGE = gsub(name, "[^.]*$", "")
  end
  setfenv(2, self)
  for _, option in ipairs({ ... }) do option(self) end
end
