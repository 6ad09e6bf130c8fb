local calculator = {}

function calculator.add(a, b)
  return a + b
end

function calculator.greet(name)
  return "Hello, " .. name .. "!"
end

function calculator.sum(data)
  local sum = 0
  for i = 1, #data do sum = sum + data:byte(i) end
  return sum
end

return calculator
