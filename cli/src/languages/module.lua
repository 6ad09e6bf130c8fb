---@meta polyplug

-- The module `polyplug`, which the Lua loader gives to plugins, and the contracts that are named below. Made by
-- `polyplug stubs --lang lua`.

--- The contracts that are known here.
---@alias polyplug.Contract
--@names@

---@alias polyplug.Level
---| "error"
---| "warn"
---| "info"
---| "debug"
---| "trace"

--- An integer of 64 bits: a number up to 2^53, and beyond it an `int64_t` or `uint64_t` of LuaJIT.
---@alias polyplug.Integer64 integer

--- What stands for nothing in a list, a tuple or a map.
---@class polyplug.Null

---@class polyplug.Options
--- The plugin's name in messages; without it, the contract's.
---@field name? string
--- One instance serves the whole bundle.
---@field singleton? boolean
--- The plugin keeps nothing from one call to the next, so calls may run in several workers.
---@field stateless? boolean

--- The failure of a call of a host contract, a peer or an object.
---@class polyplug.CallError
--- The kind of the failure, such as `exception`, `unloaded` or `invalid_argument`.
---@field kind string
---@field message string
--- The bundle that was called; nil for the host.
---@field bundle string|nil
---@field contract string|nil
--- The method, with the contract.
---@field method string|nil
---@field location string|nil

--@contracts@
---@class polyplug
--- The bundle's settings.
---@field config table<string, any>
--- The bundle's name.
---@field bundle string
--- The bundle's own folder; nil for a bundle from memory.
---@field directory string|nil
--- What stands for nothing in a list, a tuple or a map.
---@field null polyplug.Null
local polyplug = {}

--- Declares a plugin. Returns the table that the methods go into.
---@param contract polyplug.Contract
---@param options? polyplug.Options
---@return table
--@plugin@
function polyplug.plugin(contract, options) end

--- Returns a contract of the host, which the manifest declares under `[[host]]`.
---@param contract polyplug.Contract
---@return table
--@remote@
function polyplug.host(contract) end

--- Returns a plugin of another bundle, which the manifest declares under `[[dependency]]`.
---@param contract polyplug.Contract
---@return table
--@remote@
function polyplug.peer(contract) end

--- Returns makers of the values of a contract's types, by their names.
---@param contract polyplug.Contract
---@return table
--@types@
function polyplug.types(contract) end

--- Ends a method with the error that its contract declares.
---@param value any
function polyplug.raise(value) end

--- Writes to the host's log.
---@param level polyplug.Level
---@param text string
function polyplug.log(level, text) end

--- Has a function called before the bundle is unloaded.
---@param f fun()
function polyplug.on_unload(f) end

--- Returns the folder in which the bundle keeps its data, and makes it if it does not exist.
---@return string
function polyplug.data_directory() end

return polyplug
