-- Calls objects, and gives some of its own.
local polyplug = require("polyplug")

local Objects = polyplug.plugin("test.objects@1", { singleton = true })

local function told(call, ...)
  local is_fine, answer = pcall(call, ...)
  if not is_fine then polyplug.raise(tostring(answer)) end
  return answer
end

function Objects:init()
  self.kept, self.count = {}, 0
end

function Objects:work(steps, progress)
  for step = 0, steps - 1 do
    if not progress:step(step, "working") then return step end
  end
  return steps
end

function Objects:notes(text, first, second)
  local notes = {}
  for i, progress in ipairs({ first, second }) do
    local is_fine, answer = pcall(progress.note, progress, text)
    notes[i] = is_fine and tostring(answer) or "no: " .. answer
  end
  return notes
end

function Objects:provoke(progress)
  progress:breaks()
end

function Objects:catch(progress)
  local _, problem = pcall(progress.breaks, progress)
  return problem.message
end

function Objects:keep(progress)
  table.insert(self.kept, progress)
  return #self.kept
end

function Objects:tell_all(label)
  local answers = {}
  for i, progress in ipairs(self.kept) do
    local is_fine, answer = pcall(progress.step, progress, 0, label)
    answers[i] = is_fine and { tag = "ok", val = answer } or { tag = "err", val = tostring(answer) }
  end
  return answers
end

function Objects:forget()
  self.kept = {}
  collectgarbage()
end

-- What this plugin gives to others: says yes to one label, or so many times.
local Own = {}
Own.__index = Own

function Own:step(_, label)
  if self.label then return label == self.label end
  self.times = self.times - 1
  return self.times >= 0
end

function Own:breaks() error("it broke") end
function Own:note(text) polyplug.raise(text) end

function Objects:plant()
  local own = setmetatable({ label = "planted" }, Own)
  return told(function() return polyplug.peer("test.objects@1"):keep(own) end)
end

function Objects:lend(steps)
  local own = setmetatable({ times = 2 }, Own)
  return told(function() return polyplug.peer("test.objects@1"):work(steps, own) end)
end

function Objects:pass_on(steps, progress)
  return told(function() return polyplug.peer("test.objects@1"):work(steps, progress) end)
end

function Objects:hear(words)
  self.count = self.count + 1
  if words == "!" then error("too loud") end
  if words == "" then polyplug.raise("silence") end
  return #words
end

-- A function will do for an object with one method.
function Objects:listen(words)
  local radio = polyplug.host("test.radio@1")
  local is_fine, answer = pcall(radio.play, radio, words, function(said) return self:hear(said) end)
  if not is_fine then polyplug.raise(tostring(answer)) end
  return answer
end

function Objects:subscribe()
  polyplug.host("test.radio@1"):tune(self)
end

function Objects:heard()
  return self.count
end
