---@meta polyplug.test

-- The module `polyplug.test`, which `polyplug test` gives to test files. Made by `polyplug stubs --lang lua`.

---@class polyplug.test
local test = {}

--- Declares a test.
---@param name string
---@param f fun()
function test.test(name, f) end

--- Declares a test.
---@param name string
---@param f fun()
function test.it(name, f) end

--- Declares the tests that `f` declares as a group.
---@param name string
---@param f fun()
function test.describe(name, f) end

--- Has `f` called before each test of the group, or of the file.
---@param f fun()
function test.before_each(f) end

--- Has `f` called after each test of the group, or of the file.
---@param f fun()
function test.after_each(f) end

--- Returns a new instance of a plugin of the bundle under test.
---@param contract polyplug.Contract
---@return table
--@remote@
function test.instance(contract) end

--- Has a table of functions implement a contract that the bundle under test calls. Returns the table.
---@generic T: table
---@param contract polyplug.Contract
---@param methods T
---@return T
function test.stand_in(contract, methods) end

--- Replaces settings of the bundle under test.
---@param settings table<string, any>
function test.settings(settings) end

--- Checks that two values are the same, tables by their contents.
---@param actual any
---@param expected any
---@param note? string
function test.equals(actual, expected, note) end

--- Checks that two values are not the same, tables by their contents.
---@param actual any
---@param unexpected any
---@param note? string
function test.differs(actual, unexpected, note) end

---@param value any
---@param note? string
function test.is_true(value, note) end

---@param value any
---@param note? string
function test.is_false(value, note) end

---@param value any
---@param note? string
function test.is_nil(value, note) end

--- Checks that two numbers differ by `tolerance` at most, which is 1e-9 by default.
---@param actual number
---@param expected number
---@param tolerance? number
---@param note? string
function test.near(actual, expected, tolerance, note) end

--- Checks that a text has a part, or a table an item.
---@param whole string|table
---@param part any
---@param note? string
function test.contains(whole, part, note) end

--- Calls `f`, which has to raise an error, and returns the error. `expected` is a declared error, a part of the error's text, or
--- a table with fields of a failed call.
---@param f fun()
---@param expected? any
---@param note? string
---@return any
function test.raises(f, expected, note) end

--- Ends the test as failed.
---@param message? any
function test.fail(message) end

--- Ends a test that is left out from here.
---@param reason? any
function test.skip(reason) end

return test
