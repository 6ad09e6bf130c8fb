"""Returns what it is given, of every type; and measures how deep values are."""

from polyplug import Declared, Err, Ok, plugin, types

NAMES = """
    boolean int8 int16 int32 int64 nat8 nat16 nat32 nat64 float32 float64 letter text bytes

    list_boolean list_int8 list_int16 list_int32 list_int64 list_nat16 list_nat32 list_nat64 list_float32 list_float64
    list_letter list_text list_bytes list_list list_point list_pixel list_mixed list_pair list_nested list_colour
    list_shape list_option list_box list_option_box list_tuple list_plain_tuple list_map list_result

    option_unit option_boolean option_int8 option_int16 option_int32 option_int64 option_nat8 option_nat16 option_nat32
    option_nat64 option_float32 option_float64 option_letter option_text option_bytes option_list option_point
    option_mixed option_colour option_shape option_tuple option_map option_result option_option option_option_text
    option_option_option option_box option_box_text option_box_box option_option_box option_box_option boxed boxed_shape

    tuple1 tuple2 tuple3 tuple4 tuple5 tuple6 tuple7 tuple8

    hash_boolean hash_int8 hash_int16 hash_int32 hash_int64 hash_nat8 hash_nat16 hash_nat32 hash_nat64 hash_letter
    hash_text tree_boolean tree_int8 tree_int16 tree_int32 tree_int64 tree_nat8 tree_nat16 tree_nat32 tree_nat64
    tree_letter tree_text

    point pixel mixed wrapper pair nested colour shape

    tree chain option_box_chain folder family document
"""

RESULTS = "unit unit_text number small record list result"


class Types:
    pass


def same(self, value):
    return value


def outcome(self, value):
    """What a method that returns a result gives for `value`: it raises the error."""
    if isinstance(value, Ok):
        return value.value
    error = value.error
    raise error if isinstance(error, BaseException) else Declared(error)


for name in NAMES.split():
    setattr(Types, name, same)
for name in RESULTS.split():
    setattr(Types, f"result_{name}", outcome)
plugin("test.types@1")(Types)


contract = types("test.depth@1")
Tree, Chain, Onion, Folder = contract.Tree, contract.Chain, contract.Onion, contract.Folder


def deepest(parts, measure):
    return 1 + max((measure(part) for part in parts), default=0)


def tree_depth(tree):
    return deepest(tree.children, tree_depth)


def folder_depth(folder):
    return deepest(folder.folders.values(), folder_depth)


@plugin("test.depth@1")
class Depth:
    def measure_tree(self, value: Tree):
        return tree_depth(value)

    def measure_folder(self, value: Folder):
        return folder_depth(value)

    def measure_chain(self, value: Chain):
        count = 0
        while value is not None:
            count, value = count + 1, value.next
        return count

    def measure_onion(self, value: Onion):
        count = 0
        while value is not None:
            count, value = count + 1, value.inside
        return count

    def tree(self, depth: int) -> Tree:
        tree = Tree(value=0, children=[])
        for value in range(1, depth):
            tree = Tree(value=value, children=[tree])
        return tree

    def chain(self, length: int) -> Chain:
        chain = Chain(number=0, next=None)
        for number in range(1, length):
            chain = Chain(number=number, next=chain)
        return chain

    def onion(self, layers: int, rings: bool) -> Onion:
        onion = None
        for _ in range(layers):
            onion = Onion(rings=[1.5] if rings else [], skin=b"\1\2", inside=onion)
        return onion

    def folder(self, depth: int) -> Folder:
        folder = Folder(size=1, folders={}, versions={})
        for _ in range(1, depth):
            folder = Folder(size=1, folders={"inner": folder}, versions={})
        return folder
