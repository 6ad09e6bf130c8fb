-- Stage `redact`: masks clients' addresses, and secrets in what they asked for. Its rules are in the manifest, under
-- `[config]`.

local polyplug = require("polyplug")
local rules = require("rules")

local StageError = polyplug.types("pipeline.stage@1").StageError

local Redact = polyplug.plugin("pipeline.stage@1")

function Redact:init(ctx)
  self.rules = rules.read(ctx.config)
  self.log = ctx.host("pipeline.log@1")
  self.progress = ctx.host("pipeline.progress@1")
  self.addresses, self.secrets = 0, 0
end

function Redact:describe()
  return { name = "redact", summary = "masks addresses and tokens" }
end

-- Masks what one record has. The line as it was read goes out in the end, so the same is masked there.
function Redact:mask(record)
  local entry = record.entry
  local client = self.rules:address(entry.client)
  if client ~= entry.client then
    local first, last = record.raw:find(entry.client, 1, true)
    if first then
      record.raw = record.raw:sub(1, first - 1) .. client .. record.raw:sub(last + 1)
    end
    entry.client = client
    self.addresses = self.addresses + 1
  end
  local found
  record.raw, found = self.rules:secrets(record.raw)
  self.secrets = self.secrets + found
  entry.target = self.rules:secrets(entry.target)
  entry.referer = entry.referer and self.rules:secrets(entry.referer)
  entry.agent = entry.agent and self.rules:secrets(entry.agent)
end

function Redact:process(records)
  for _, record in ipairs(records) do
    if not record.entry then
      error(StageError.Missing({ line = record.line, field = "entry" }))
    end
  end
  for _, record in ipairs(records) do
    self:mask(record)
  end
  self.progress:advance(#records)
  return { records = records, rejected = {} }
end

function Redact:flush()
  self.log:log("Info", ("masked %d addresses and %d secrets"):format(self.addresses, self.secrets))
  return {
    batch = { records = {}, rejected = {} },
    reports = {
      {
        title = "Masked",
        columns = { "what", "times" },
        rows = {
          { { tag = "Text", val = "addresses" }, { tag = "Integer", val = self.addresses } },
          { { tag = "Text", val = "secrets" }, { tag = "Integer", val = self.secrets } },
        },
      },
    },
  }
end
