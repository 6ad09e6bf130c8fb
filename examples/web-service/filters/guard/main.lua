-- Keeps those without the token away from /admin.
local polyplug = require("polyplug")
local Verdict = polyplug.types("web.filter@1").Verdict

local Guard = polyplug.plugin("web.filter@1", { stateless = true })

function Guard:check(head)
  if head.path ~= "/admin" then return Verdict.Pass() end
  for _, header in ipairs(head.headers) do
    if header.name == "authorization" and header.value == "Bearer " .. polyplug.config.token then
      return Verdict.Pass()
    end
  end
  return Verdict.Reject({ status = 403, reason = "forbidden, says version 1" })
end
