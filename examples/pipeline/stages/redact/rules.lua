-- What is masked, and how.

local Rules = {}
Rules.__index = Rules

-- The number of parts that stay, from 0 to `most`.
local function parts(keep, name, most)
  local count = keep[name]
  if type(count) ~= "number" or count % 1 ~= 0 or count < 0 or count > most then
    error(("settings: keep.%s: expected a whole number from 0 to %d, got %s"):format(name, most, tostring(count)), 0)
  end
  return count
end

-- The names of the rules in a section that are switched on, in the same order every time.
local function names(section, of, kind)
  local list = {}
  for name, value in pairs(section) do
    if value ~= false then
      if type(value) ~= kind then
        error(("settings: %s.%s: expected %s or false, got %s"):format(of, name, kind, tostring(value)), 0)
      end
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- Reads the rules from the bundle's settings.
local function read(config)
  if type(config.mask) ~= "string" then
    error(("settings: mask: expected text, got %s"):format(tostring(config.mask)), 0)
  end
  local self = setmetatable({ mask = config.mask, parameters = {}, patterns = {} }, Rules)
  self.v4, self.v6 = parts(config.keep, "v4", 4), parts(config.keep, "v6", 8)
  for _, name in ipairs(names(config.parameters, "parameters", "boolean")) do
    -- A name is text, not a pattern.
    self.parameters[#self.parameters + 1] = "([?&]" .. name:gsub("%p", "%%%0") .. "=)[^&%s\"#]+"
  end
  for _, name in ipairs(names(config.patterns, "patterns", "string")) do
    local pattern = config.patterns[name]
    local is_pattern, reason = pcall(string.find, "", pattern)
    if not is_pattern then
      error(("settings: patterns.%s: %s"):format(name, reason), 0)
    end
    self.patterns[#self.patterns + 1] = pattern
  end
  return self
end

-- An address without its last parts; anything else as it is.
function Rules:address(client)
  local v4 = { client:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  if #v4 == 4 then
    for i = self.v4 + 1, 4 do v4[i] = "0" end
    return table.concat(v4, ".")
  end
  if not client:find(":", 1, true) then
    return client
  end
  if self.v6 == 8 then
    return client
  end
  local groups = {}
  for group in (client .. ":"):gmatch("([^:]*):") do
    -- What `::` stands for is not written out: whatever comes after it goes.
    if group == "" or #groups == self.v6 then break end
    groups[#groups + 1] = group
  end
  return table.concat(groups, ":") .. "::"
end

-- Text without secrets, and how many there were.
function Rules:secrets(text)
  local mask, total, count = (self.mask:gsub("%%", "%%%%")), 0, nil
  if text:find("=", 1, true) then
    for _, pattern in ipairs(self.parameters) do
      text, count = text:gsub(pattern, "%1" .. mask)
      total = total + count
    end
  end
  for _, pattern in ipairs(self.patterns) do
    text, count = text:gsub(pattern, mask)
    total = total + count
  end
  return text, total
end

return { read = read }
