return {
  add = function(a, b) return a + b end,
  greet = function(name) return "Hello, " .. name .. "!" end,
  sum = function(data)
    local sum = 0
    for i = 1, #data do sum = sum + data:byte(i) end
    return sum
  end,
  tree = function(value) return value end,
}
