local polyplug = require("polyplug")
local types = polyplug.types("test.kinds@1")
local Shape, Refusal = types.Shape, types.Refusal

---@class Guest: TestKinds1.Kinds
local Guest = polyplug.plugin("test.kinds@1", { singleton = true })

function Guest:init(ctx)
  self.name = ctx.bundle
  polyplug.log("debug", self.name)
end

function Guest:numbers(small, middle, large, real, flag, letter)
  if flag and letter == "é" then return { large, real } end
  return { small, middle }
end

function Guest:text(name, data) return name .. data end

function Guest:names(items, by_name)
  local names = {}
  for _, item in ipairs(items) do names[#names + 1] = item.name .. (item.note or "") end
  for name in pairs(by_name) do names[#names + 1] = name end
  return names
end

function Guest:deep(value) return value end

function Guest:shape(shape)
  if shape.tag == "Line" then return Shape.Line(shape.val[2], shape.val[1]) end
  if shape.tag == "Circle" then return Shape.Circle({ centre = shape.val.centre, radius = shape.val.radius * 2 }) end
  return Shape.Dot(1)
end

function Guest:colour(colour)
  if colour == types.Colour.Red then return "Green" end
end

function Guest:swap(pair)
  if pair[1] == 0 then error(Refusal.Full({ capacity = 7 })) end
  return { pair[2], pair[1] }
end

function Guest:settled(value)
  return { { tag = "ok" }, { tag = "err", val = tostring(value.val) } }
end

function Guest:watch(steps, progress)
  for step = 1, steps do
    if not progress:step(step, "step") then return step end
  end
  return steps
end

Guest["import"] = function(_, number, text) return number + #text end

function Guest:length(chain)
  if chain.next then return 1 + self:length(chain.next) end
  return 1
end

function Guest:forget_all() self.name = "" end

polyplug.on_unload(function() polyplug.log("info", "done") end)
