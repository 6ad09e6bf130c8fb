"""The comparisons of `assert` statements, whose values the report shows."""

import ast
import operator
import pprint

_OPERATORS = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
    ast.In: ("in", lambda one, other: one in other),
    ast.NotIn: ("not in", lambda one, other: one not in other),
}
_FUNCTIONS = dict(_OPERATORS.values())

# The name under which rewritten code finds this module.
NAME = "@polyplug_comparing"


class Failed(AssertionError):
    """A failed assertion."""

    def __init__(self, message, values=None):
        super().__init__(message)
        self.message, self.values = message, values


def text_of(value):
    """Returns a value as text of several lines."""
    return pprint.pformat(value, width=60)


def check_comparison(left, operation, right, note=None):
    """Implements `assert left == right`, and other comparisons."""
    if _FUNCTIONS[operation](left, right):
        return
    message = f"assert {shortened(left)} {operation} {shortened(right)}"
    values = None
    if operation in ("==", "is"):
        is_text = isinstance(left, str) and isinstance(right, str) and ("\n" in left or "\n" in right)
        values = {"expected": right, "actual": left} if is_text else {"expected": text_of(right), "actual": text_of(left)}
    raise Failed(with_note(message, note), values)


def check_truth(value, source, note=None):
    """Implements `assert value`."""
    if not value:
        message = f"assert {source}" + ("" if source == repr(value) else f", which is {shortened(value)}")
        raise Failed(with_note(message, note))


def with_note(message, note):
    return message if note is None else f"{note()}: {message}"


def shortened(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _Rewriter(ast.NodeTransformer):
    def visit_Assert(self, node):
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            name, _ = _OPERATORS[type(test.ops[0])]
            arguments = [test.left, ast.Constant(name), test.comparators[0]]
            call = self._call("check_comparison", arguments, node)
        else:
            call = self._call("check_truth", [test, ast.Constant(ast.unparse(test))], node)
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node))

    def _call(self, name, arguments, node):
        if node.msg is not None:
            nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
            arguments = [*arguments, ast.Lambda(nothing, node.msg)]
        function = ast.Attribute(ast.Name(NAME, ast.Load()), name, ast.Load())
        return ast.Call(function, arguments, [])


def compiled(source, file):
    """Compiles a test file. Its `assert` statements call this module."""
    return compile(_Rewriter().visit(ast.parse(source, file)), file, "exec", dont_inherit=True)
