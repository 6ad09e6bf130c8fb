"""Returns what it should not."""

import math

from polyplug import Declared, host, peer, plugin, types

contract = types("test.wrong@1")
Shape, Point, Item = contract.Shape, contract.Point, contract.Item
Tree, Refusal = contract.Tree, contract.Refusal


def fields(**changes):
    """Changes an order's fields."""
    return lambda order: order.update(changes)


def item(number, **changes):
    """Changes fields of one of an order's items."""
    return lambda order: order["items"][number].update(changes)


CHANGES = {
    "nothing": fields(),
    "item_name": item(3, name=5),
    "item_lacks": fields(items=[{"name": "ink", "count": 2}]),
    "item_misspelt": fields(items=[{"name": "ink", "count": 1, "prize": 2}]),
    "item_text": fields(items=[Item("ink", 2, 1.25), "paper"]),
    "count_large": fields(items=[Item("ink", 2**32, 1.25)]),
    "count_negative": item(2, count=-1),
    "count_fraction": item(2, count=1.5),
    "count_huge": item(2, count=1e300),
    "count_nan": item(2, count=math.nan),
    "items_text": fields(items="ink"),
    "items_record": fields(items={"name": "ink"}),
    "note_number": fields(note=5),
    "colour_unknown": fields(colour="Purple"),
    "colour_number": fields(colour=1),
    "shape_unknown": fields(shape="Dott"),
    "shape_text": fields(shape=Shape.Dot("x")),
    "shape_range": fields(shape=Shape.Dot(256)),
    "shape_field": fields(shape=Shape.Circle(centre=Point(0, 0), radius="x")),
    "shape_part": fields(shape=Shape.Line(Point(0, 0), {"x": 0})),
    "stock_value": fields(stock={"ink": -1}),
    "stock_key": fields(stock={1: 1}),
    "stock_text": fields(stock="ink"),
    "size_short": fields(size=(3,)),
    "size_long": fields(size=(3, "A4", 5)),
    "size_type": fields(size=(3, 4)),
    "customer_lacks": lambda order: order.pop("customer"),
    "id_negative": fields(id=-1),
}


def wrong_order(what):
    order = {
        "id": 1,
        "customer": "x",
        "items": [
            {"name": "ink", "count": 2, "price": 1.25},
            {"name": "paper", "count": 500, "price": 0.01},
            {"name": "pen", "count": 1, "price": 3},
            {"name": "", "count": 0, "price": 0},
        ],
        "note": None,
        "colour": "Green",
        "shape": Shape.Dot(3),
        "stock": {"ink": 7},
        "size": (3, "A4"),
    }
    CHANGES[what](order)
    return order


# The values that methods return, by what they are asked for.
VALUES = {
    "none": None,
    "number": 1,
    "text": "x",
    "texts": "two",
    "empty": "",
    "list": ["x"],
    "large": 128,
    "negative": -1,
    "fraction": 0.5,
    "nan": math.nan,
    "infinite": math.inf,
    "beyond": 2**63,
    "far_beyond": 2**64,
    "unsigned": 2**63,
    "huge": 1e39,
    "flag": True,
    "broken_text": "x\udcff",
    "wrong_bytes": [1, 256],
    "unknown_case": "Blob",
    "no_case": {"value": 1},
}

LISTENERS = {
    "number": 5,
    "method": object(),
    "result": lambda words: "x",
}


def answer(self, what):
    return VALUES[what]


def told(call, *arguments):
    """What a call says as it fails."""
    try:
        call(*arguments)
    except Exception as error:
        return str(error)
    return "fine"


@plugin("test.wrong@1")
class Wrong:
    boolean = int8 = nat32 = int64 = nat64 = float32 = letter = text = bytes = nothing = shape = answer

    def order(self, what):
        plain = {"none": None, "text": "an order"}
        return plain[what] if what in plain else wrong_order(what)

    def failure(self, what):
        if what == "unknown":
            raise Declared("Shut")
        if what == "field":
            raise Refusal.Full(capacity=-1)
        if what == "type":
            raise Declared(5)
        return "x"

    def undeclared(self):
        raise Refusal.Closed()

    def recurse(self):
        return 1 + self.recurse()

    def cyclic(self):
        tree = Tree(value=1, children=[])
        tree.children.append(tree)
        return tree

    def tune(self, what):
        return told(host("test.radio@1").tune, LISTENERS[what])

    def argument(self, what):
        order = host("test.mirror@1").order
        if what == "few":
            return told(order)
        if what == "many":
            return told(order, wrong_order("nothing"), 5)
        return told(order, wrong_order(what))

    def calm(self, number):
        return number


@plugin("test.clinging@1")
class Clinging:
    def cling(self, progress):
        self.progress = progress
        return progress.step(0, "now")

    def later(self):
        return told(self.progress.step, 1, "later")

    def entrust(self, progress):
        return told(peer("test.objects@1").keep, progress)

    def mistake(self, progress):
        return told(host("test.radio@1").tune, progress)
