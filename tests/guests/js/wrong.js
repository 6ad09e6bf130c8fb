// Returns what it should not.
import { DeclaredError, host, peer, plugin } from "polyplug";

const CHANGES = {
  nothing: () => {},
  item_name: (order) => (order.items[3].name = 5),
  item_lacks: (order) => delete order.items[0].price,
  item_misspelt: (order) => (order.items[0] = { name: "ink", count: 1, prize: 2 }),
  item_text: (order) => (order.items[1] = "paper"),
  count_large: (order) => (order.items[0].count = 2 ** 32),
  count_negative: (order) => (order.items[2].count = -1),
  count_fraction: (order) => (order.items[2].count = 1.5),
  count_huge: (order) => (order.items[2].count = 1e300),
  count_nan: (order) => (order.items[2].count = NaN),
  items_text: (order) => (order.items = "ink"),
  items_record: (order) => (order.items = { name: "ink" }),
  note_number: (order) => (order.note = 5),
  colour_unknown: (order) => (order.colour = "Purple"),
  colour_number: (order) => (order.colour = 1),
  shape_unknown: (order) => (order.shape = { tag: "Dott", val: 1 }),
  shape_text: (order) => (order.shape = { tag: "Dot", val: "x" }),
  shape_range: (order) => (order.shape = { tag: "Dot", val: 256 }),
  shape_field: (order) => (order.shape = { tag: "Circle", val: { centre: { x: 0, y: 0 }, radius: "x" } }),
  shape_part: (order) => (order.shape = { tag: "Line", val: [{ x: 0, y: 0 }, { x: 0 }] }),
  stock_value: (order) => (order.stock = { ink: -1 }),
  stock_key: (order) => (order.stock = new Map([[1, 1]])),
  stock_text: (order) => (order.stock = "ink"),
  size_short: (order) => (order.size = [3]),
  size_long: (order) => (order.size = [3, "A4", 5]),
  size_type: (order) => (order.size = [3, 4]),
  customer_lacks: (order) => delete order.customer,
  id_negative: (order) => (order.id = -1n),
};

function wrongOrder(what) {
  const order = {
    id: 1,
    customer: "x",
    items: [
      { name: "ink", count: 2, price: 1.25 },
      { name: "paper", count: 500, price: 0.01 },
      { name: "pen", count: 1, price: 3 },
      { name: "", count: 0, price: 0 },
    ],
    note: null,
    colour: "Green",
    shape: { tag: "Dot", val: 3 },
    stock: { ink: 7 },
    size: [3, "A4"],
  };
  CHANGES[what](order);
  return order;
}

// The values that methods return, by what they are asked for.
const VALUES = {
  none: undefined,
  number: 1,
  text: "x",
  texts: "two",
  empty: "",
  list: ["x"],
  large: 128,
  negative: -1,
  fraction: 0.5,
  nan: NaN,
  infinite: Infinity,
  beyond: 2n ** 63n,
  far_beyond: 2n ** 64n,
  unsigned: 2n ** 63n,
  huge: 1e39,
  flag: true,
  broken_text: "x\udcff",
  wrong_bytes: [1, 256],
  unknown_case: { tag: "Blob" },
  no_case: { val: 1 },
};

const LISTENERS = {
  number: 5,
  method: {},
  result: { hear: () => "x" },
};

// What a call says as it fails.
function told(call) {
  try {
    call();
  } catch (error) {
    return error.message;
  }
  return "fine";
}

class Wrong {
  order(what) {
    if (what === "none") return undefined;
    if (what === "text") return "an order";
    return wrongOrder(what);
  }

  failure(what) {
    if (what === "unknown") throw { tag: "Shut" };
    if (what === "field") throw { tag: "Full", val: { capacity: -1 } };
    if (what === "type") throw new DeclaredError(5);
    return "x";
  }

  undeclared() {
    throw { tag: "Closed" };
  }

  recurse() {
    return 1 + this.recurse();
  }

  cyclic() {
    const tree = { value: 1, children: [] };
    tree.children.push(tree);
    return tree;
  }

  tune(what) {
    return told(() => host("test.radio@1").tune(LISTENERS[what]));
  }

  argument(what) {
    const mirror = host("test.mirror@1");
    if (what === "few") return told(() => mirror.order());
    if (what === "many") return told(() => mirror.order(wrongOrder("nothing"), 5));
    return told(() => mirror.order(wrongOrder(what)));
  }

  calm(number) {
    return number;
  }
}

const METHODS = "boolean int8 nat32 int64 nat64 float32 letter text bytes nothing shape";
for (const name of METHODS.split(" ")) {
  Wrong.prototype[name] = (what) => VALUES[what];
}

plugin("test.wrong@1", Wrong);

class Clinging {
  cling(progress) {
    this.progress = progress;
    return progress.step(0, "now");
  }

  later() {
    return told(() => this.progress.step(1, "later"));
  }

  entrust(progress) {
    return told(() => peer("test.objects@1").keep(progress));
  }

  mistake(progress) {
    return told(() => host("test.radio@1").tune(progress));
  }
}

plugin("test.clinging@1", Clinging);
