({
  add(a, b) {
    return a + b;
  },
  greet(name) {
    return "Hello, " + name + "!";
  },
  sum(data) {
    let total = 0;
    for (let i = 0; i < data.length; i++) total += data[i];
    return total;
  },
  tree(value) {
    return value;
  },
})
