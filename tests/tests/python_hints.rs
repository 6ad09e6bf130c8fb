//! Methods of plugins in Python are held against the contract when the bundle is loaded: their parameters, and what type
//! hints say.

// What authors may write is written here, the unusual as well.
#![allow(clippy::type_complexity)]

use std::collections::BTreeMap;

use polyplug::{BundleId, Type};
use polyplug_python::PythonLoader;
use polyplug_tests::python::{is_since, load_error, loaded, python_runtime, try_load_python};

/// With every kind of type.
#[polyplug::contract(name = "test.hinted", version = "1.0")]
pub trait Hinted {
    /// No argument, and no result.
    fn nothing(&self);
    /// An integer.
    fn integer(&self, x: i32) -> i64;
    /// A number.
    fn number(&self, x: f64) -> f32;
    /// A flag.
    fn flag(&self, x: bool) -> bool;
    /// A letter.
    fn letter(&self, x: char) -> char;
    /// A text.
    fn text(&self, x: &str) -> String;
    /// Bytes.
    fn data(&self, x: &[u8]) -> Vec<u8>;
    /// Numbers.
    fn numbers(&self, x: &[f64]) -> Vec<f64>;
    /// Lists in a list.
    fn rows(&self, x: Vec<Vec<String>>) -> Vec<Vec<i32>>;
    /// A map.
    fn map(&self, x: BTreeMap<String, i32>) -> BTreeMap<String, i32>;
    /// A tuple.
    fn pair(&self, x: (i32, String)) -> (i32, String);
    /// Perhaps a text.
    fn perhaps(&self, x: Option<String>) -> Option<i32>;
    /// A record.
    fn point(&self, x: Spot) -> Spot;
    /// Records.
    fn points(&self, x: Vec<Spot>) -> Vec<Spot>;
    /// An enum.
    fn colour(&self, x: Hue) -> Hue;
    /// A variant.
    fn shape(&self, x: Form) -> Form;
    /// A result.
    fn fallible(&self, x: i32) -> Result<i32, Form>;
    /// A result in a list.
    fn outcomes(&self, x: Vec<Result<i32, String>>) -> Vec<Result<i32, String>>;
    /// Two arguments.
    fn two(&self, first: i32, second: &str) -> u8;
    /// An object.
    fn visit(&self, visitor: &dyn Visitor);
}

/// A record.
#[derive(Debug, Clone, PartialEq, Type)]
pub struct Spot {
    /// A field.
    pub x: f64,
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Type)]
pub enum Hue {
    /// A case.
    Red,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Type)]
pub enum Form {
    /// A case.
    Empty,
    /// A case with a field.
    Circle {
        /// The field.
        radius: f64,
    },
}

/// An object.
#[polyplug::contract(name = "test.visitor", version = "1.0")]
pub trait Visitor {
    /// Visits.
    fn visit(&self, x: i32) -> bool;
}

/// Returns whether a method is one for the Python of the tests: before Python 3.10, types have no `|`.
fn is_python(method: &str) -> bool {
    !method.contains(" | ") || is_since(10)
}

/// The class under test is on line 3 of what comes first, and its method on line 4 of it.
fn bundle(method: &str) -> String {
    let base = r#"
import dataclasses, typing, collections.abc, enum
from typing import *
from polyplug import plugin, types
T = types("test.hinted@1")
Spot, Hue, Form = T.Spot, T.Hue, T.Form

@dataclasses.dataclass
class Mine:
    x: float

class Typed(TypedDict):
    x: float

class Tuple2(NamedTuple):
    a: int
    b: str

class Other(enum.Enum):
    Red = 1

class Number(int): pass
class Has(Protocol):
    x: float

Alias = List[float]
Anything = TypeVar("Anything")
Id = NewType("Id", int)

class Base:
    def nothing(self): pass
    def two(self, first, second): return 1
    def visit(self, visitor): pass
    def one(self, x): return x
    integer = number = flag = letter = text = data = numbers = rows = map = pair = perhaps = point = points = one
    colour = shape = fallible = outcomes = one

@plugin("test.hinted@1")
class Hinted(Base):
"#;
    let body: String = method.lines().map(|line| format!("    {line}\n")).collect();
    format!("{base}{body}")
}

/// The line on which the first line of the method is.
fn line() -> usize {
    bundle("MARK").lines().position(|line| line.contains("MARK")).unwrap() + 1
}

#[test]
fn what_fits_is_loaded() {
    let runtime = python_runtime(PythonLoader::new());
    let mut mistakes = Vec::new();
    let methods = [
        "pass",
        "def nothing(self) -> None: pass",
        "def nothing(self) -> 'None': pass",
        "def nothing(self) -> Any: pass",
        "def nothing(self) -> NoReturn: raise ValueError()",
        "def nothing(self, *more, **named): pass",
        "def nothing(self, x=1, *, y=2): pass",
        "def integer(self, x: int) -> int: return x",
        "def integer(self, x: float) -> int: return 1",
        "def integer(self, x: int | str) -> int: return 1",
        "def integer(self, x: Union[int, str]) -> Union[int, str]: return 1",
        "def integer(self, x: Optional[int] = None) -> Optional[int]: return x",
        "def integer(self, x: object) -> object: return x",
        "def integer(self, x: Any) -> Any: return x",
        "def integer(self, x: Anything) -> Anything: return x",
        "def integer(self, x: Hashable) -> SupportsInt: return x",
        "def integer(self, x: SupportsInt) -> SupportsInt: return x",
        "def integer(self, x: Annotated[int, 'small']) -> Annotated[int, 'small']: return x",
        "def integer(self, x: Id) -> Id: return x",
        "def integer(self, x) -> Literal[1, 2]: return 1",
        "def integer(self, x) -> Number: return Number(1)",
        "def integer(self, x: 'int') -> 'int': return x",
        "def integer(self, x: 'Unknown') -> 'Unknown': return x",
        "def integer(self, *xs: int) -> int: return xs[0]",
        "def integer(self, other_name: int) -> int: return 1",
        "def integer(self, x, /): return x",
        "def integer(self, x, y=1, *, z=2): return x",
        "def integer(*all): return all[1]",
        "@staticmethod\ndef integer(x: int) -> int: return x",
        "@classmethod\ndef integer(cls, x: int) -> int: return x",
        "integer = lambda self, x: x",
        "integer = staticmethod(abs)",
        "def number(self, x: float) -> float: return x",
        "def number(self, x: float) -> int: return 1",
        "def number(self, x: complex) -> float: return 1.0",
        "def number(self, x: SupportsFloat) -> SupportsFloat: return x",
        "def number(self, x: 'float | None') -> 'int | float': return x",
        "def flag(self, x: bool) -> bool: return x",
        "def flag(self, x: int) -> bool: return True",
        "def letter(self, x: str) -> str: return x",
        "def text(self, x: str) -> str: return x",
        "def text(self, x: Sequence[str]) -> AnyStr: return x",
        "def text(self, x: Iterable[str]): return x",
        "def data(self, x: bytes) -> bytes: return x",
        "def data(self, x: bytes) -> bytearray: return x",
        "def data(self, x: bytes) -> memoryview: return x",
        "def data(self, x: bytes) -> list[int]: return x",
        "def data(self, x: Sequence[int]) -> Iterable[int]: return x",
        "def data(self, x: collections.abc.ByteString) -> collections.abc.ByteString: return x",
        "def numbers(self, x: list) -> list: return x",
        "def numbers(self, x: list[float]) -> list[float]: return x",
        "def numbers(self, x: List[float]) -> List[int]: return x",
        "def numbers(self, x: Alias) -> Alias: return x",
        "def numbers(self, x: Sequence[float]) -> Sequence[float]: return x",
        "def numbers(self, x: Iterable[float]) -> Iterable[float]: return x",
        "def numbers(self, x: collections.abc.MutableSequence[float]) -> collections.abc.Collection[float]: return x",
        "def numbers(self, x: list[Any]) -> Iterator[float]: yield 1.0",
        "def numbers(self, x) -> Generator[float, None, None]: yield 1.0",
        "def numbers(self, x) -> collections.abc.Generator[float, None, None]: yield 1.0",
        "def numbers(self, x) -> tuple[float, ...]: return ()",
        "def numbers(self, x) -> tuple[float, float]: return (1.0, 2.0)",
        "def numbers(self, x) -> tuple: return ()",
        "def numbers(self, x) -> set[float]: return set()",
        "def numbers(self, x) -> frozenset: return frozenset()",
        "def rows(self, x: list[list[str]]) -> list[list[int]]: return x",
        "def rows(self, x: Sequence[Sequence[str]]) -> Iterable[tuple[int, ...]]: return x",
        "def map(self, x: dict[str, int]) -> dict[str, int]: return x",
        "def map(self, x: Dict[str, int]) -> Mapping[str, int]: return x",
        "def map(self, x: Mapping[str, int]) -> Typed: return x",
        "def map(self, x: dict) -> dict: return x",
        "def pair(self, x: tuple[int, str]) -> tuple[int, str]: return x",
        "def pair(self, x: Tuple[int, str]) -> Tuple2: return x",
        "def pair(self, x: tuple) -> list: return x",
        "def pair(self, x: tuple[int | str, ...]) -> list[int | str]: return x",
        "def pair(self, x: Sequence) -> Sequence: return x",
        "def perhaps(self, x: str | None) -> int | None: return None",
        "def perhaps(self, x: Optional[str]) -> Optional[int]: return None",
        "def perhaps(self, x: Union[str, None]) -> int: return 1",
        "def perhaps(self, x: Any) -> None: return None",
        "def perhaps(self, x: object): return None",
        "def point(self, x: Spot) -> Spot: return x",
        "def point(self, x: Spot) -> dict: return x",
        "def point(self, x: T.Spot) -> 'T.Spot': return x",
        "def point(self, x: Spot) -> dict[str, float]: return x",
        "def point(self, x: Spot) -> Mine: return x",
        "def point(self, x: Spot) -> Typed: return {'x': 1.0}",
        "def point(self, x: Has) -> Has: return x",
        "def points(self, x: list[Spot]) -> list[Spot]: return x",
        "def points(self, x: Sequence[Spot]) -> Iterator[Mine | Typed]: return x",
        "def colour(self, x: Hue) -> Hue: return x",
        "def colour(self, x: Hue) -> str: return 'Red'",
        "def colour(self, x: enum.Enum) -> Literal['Red']: return 'Red'",
        "def shape(self, x: Form) -> Form: return x",
        "def shape(self, x: Form) -> Form.Circle: return Form.Circle(1.0)",
        "def shape(self, x: Form) -> Union[Form.Circle, Type[Form.Empty]]: return Form.Empty",
        "def fallible(self, x: int) -> int: return x",
        "def outcomes(self, x: list) -> list: return x",
        "def outcomes(self, x: list[Any]) -> list['Ok | Err']: return x",
        "def two(self, first: int, second: str) -> int: return 1",
        "def two(self, first, *rest): return 1",
        "def visit(self, visitor): pass",
        "def visit(self, visitor: Callable[[int], bool]) -> None: pass",
        "def visit(self, visitor: Any) -> None: pass",
    ];
    for (number, method) in methods.into_iter().filter(|method| is_python(method)).enumerate() {
        if let Err(error) = try_load_python(&runtime, &format!("bundle-{number}"), &bundle(method)) {
            mistakes.push(format!("{method}: {error}"));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn hints_that_contradict_are_refused() {
    let runtime = python_runtime(PythonLoader::new());
    let mut mistakes = Vec::new();
    for (method, argument, of, hint) in [
        ("def integer(self, x: str): return x", "x", "i32", "str"),
        ("def integer(self, x: 'str'): return x", "x", "i32", "str"),
        ("def integer(self, x: bytes): return x", "x", "i32", "bytes"),
        ("def integer(self, x: bool): return x", "x", "i32", "bool"),
        ("def integer(self, x: None): return x", "x", "i32", "NoneType"),
        ("def integer(self, x: list[int]): return x", "x", "i32", "list[int]"),
        ("def integer(self, x: Optional[str]): return x", "x", "i32", "Optional[str]"),
        ("def integer(self, x: str | bytes): return x", "x", "i32", "str | bytes"),
        ("def integer(self, x: Annotated[str, 'y']): return x", "x", "i32", "str"),
        ("def integer(self, x: Spot): return x", "x", "i32", "Spot"),
        ("def integer(self, x: Mine): return x", "x", "i32", "Mine"),
        ("def integer(self, x: Sequence[int]): return x", "x", "i32", "Sequence[int]"),
        ("def integer(self, *xs: str): return xs", "xs", "i32", "str"),
        ("@staticmethod\ndef integer(x: str): return x", "x", "i32", "str"),
        ("@classmethod\ndef integer(cls, x: str): return x", "x", "i32", "str"),
        ("def integer(self, x) -> str: return ''", "", "i64", "str"),
        ("def integer(self, x) -> float: return ''", "", "i64", "float"),
        ("def integer(self, x) -> bool: return ''", "", "i64", "bool"),
        ("def integer(self, x) -> None: pass", "", "i64", "NoneType"),
        ("def integer(self, x) -> str | None: pass", "", "i64", "str | None"),
        ("def integer(self, x) -> Iterator[int]: yield 1", "", "i64", "Iterator[int]"),
        ("def integer(self, x) -> Mine: pass", "", "i64", "Mine"),
        ("def number(self, x: int) -> float: return 1.0", "x", "f64", "int"),
        ("def number(self, x: str) -> float: return 1.0", "x", "f64", "str"),
        ("def number(self, x) -> str: return ''", "", "f32", "str"),
        ("def number(self, x) -> complex: return 1j", "", "f32", "complex"),
        ("def flag(self, x: str): return True", "x", "bool", "str"),
        ("def flag(self, x) -> str: return ''", "", "bool", "str"),
        ("def letter(self, x: int): return 'x'", "x", "char", "int"),
        ("def letter(self, x) -> int: return 1", "", "char", "int"),
        ("def text(self, x: bytes): return ''", "x", "string", "bytes"),
        ("def text(self, x: list[str]): return ''", "x", "string", "list[str]"),
        ("def text(self, x) -> bytes: return b''", "", "string", "bytes"),
        ("def text(self, x) -> Optional[bytes]: return b''", "", "string", "Optional[bytes]"),
        ("def data(self, x: str): return b''", "x", "bytes", "str"),
        ("def data(self, x: list[int]): return b''", "x", "bytes", "list[int]"),
        ("def data(self, x) -> str: return ''", "", "bytes", "str"),
        ("def data(self, x) -> int: return 1", "", "bytes", "int"),
        ("def numbers(self, x: str): return []", "x", "list<f64>", "str"),
        ("def numbers(self, x: float): return []", "x", "list<f64>", "float"),
        ("def numbers(self, x: dict): return []", "x", "list<f64>", "dict"),
        ("def numbers(self, x: tuple): return []", "x", "list<f64>", "tuple"),
        ("def numbers(self, x: list[str]): return []", "x", "list<f64>", "list[str]"),
        ("def numbers(self, x: Sequence[str]): return []", "x", "list<f64>", "Sequence[str]"),
        ("def numbers(self, x: 'list[str]'): return []", "x", "list<f64>", "list[str]"),
        ("def numbers(self, x) -> str: return ''", "", "list<f64>", "str"),
        ("def numbers(self, x) -> float: return 1.0", "", "list<f64>", "float"),
        ("def numbers(self, x) -> dict: return {}", "", "list<f64>", "dict"),
        ("def numbers(self, x) -> list[str]: return []", "", "list<f64>", "list[str]"),
        ("def numbers(self, x) -> Iterator[str]: yield ''", "", "list<f64>", "Iterator[str]"),
        ("def numbers(self, x) -> Generator[str, None, None]: yield ''", "", "list<f64>", "Generator[str"),
        ("def numbers(self, x) -> tuple[str, ...]: return ()", "", "list<f64>", "tuple[str, ...]"),
        ("def numbers(self, x) -> None: pass", "", "list<f64>", "NoneType"),
        ("def rows(self, x: list[list[int]]): return []", "x", "list<list<string>>", "list[list[int]]"),
        ("def rows(self, x) -> list[int]: return []", "", "list<list<i32>>", "list[int]"),
        ("def map(self, x: list): return {}", "x", "string", "list"),
        ("def map(self, x: dict[int, int]): return {}", "x", "string", "dict[int, int]"),
        ("def map(self, x: dict[str, str]): return {}", "x", "string", "dict[str, str]"),
        ("def map(self, x) -> list: return {}", "", "string", "list"),
        ("def map(self, x) -> Mapping[str, str]: return {}", "", "string", "Mapping[str, str]"),
        ("def pair(self, x: list): return x", "x", "tuple<i32, string>", "list"),
        ("def pair(self, x: tuple[str, int]): return x", "x", "tuple<i32, string>", "tuple[str, int]"),
        ("def pair(self, x: tuple[int]): return x", "x", "tuple<i32, string>", "tuple[int]"),
        ("def pair(self, x) -> tuple[int, str, int]: return x", "", "tuple<i32, string>", "tuple[int, str, int]"),
        ("def pair(self, x) -> tuple[str, ...]: return x", "", "tuple<i32, string>", "tuple[str, ...]"),
        ("def pair(self, x) -> dict: return x", "", "tuple<i32, string>", "dict"),
        ("def perhaps(self, x: str): return 1", "x", "option<string>", "str"),
        ("def perhaps(self, x: int | None): return 1", "x", "option<string>", "int | None"),
        ("def perhaps(self, x: None): return 1", "x", "option<string>", "NoneType"),
        ("def perhaps(self, x) -> str: return ''", "", "option<i32>", "str"),
        ("def point(self, x: str): return x", "x", "Spot", "str"),
        ("def point(self, x: dict): return x", "x", "Spot", "dict"),
        ("def point(self, x: Mine): return x", "x", "Spot", "Mine"),
        ("def point(self, x: Typed): return x", "x", "Spot", "Typed"),
        ("def point(self, x: Form): return x", "x", "Spot", "Form"),
        ("def point(self, x) -> int: return x", "", "Spot", "int"),
        ("def point(self, x) -> str: return x", "", "Spot", "str"),
        ("def point(self, x) -> Form: return x", "", "Spot", "Form"),
        ("def point(self, x) -> list[Spot]: return x", "", "Spot", "list["),
        ("def points(self, x: list[Form]): return x", "x", "list<Spot>", "list["),
        ("def points(self, x) -> list[int]: return x", "", "list<Spot>", "list[int]"),
        ("def points(self, x) -> Spot: return x", "", "list<Spot>", "Spot"),
        ("def colour(self, x: str): return x", "x", "Hue", "str"),
        ("def colour(self, x: Other): return x", "x", "Hue", "Other"),
        ("def colour(self, x) -> int: return x", "", "Hue", "int"),
        ("def colour(self, x) -> Spot: return x", "", "Hue", "Spot"),
        ("def shape(self, x: Spot): return x", "x", "Form", "Spot"),
        ("def shape(self, x: Form.Circle): return x", "x", "Form", "Circle"),
        ("def shape(self, x) -> Spot: return x", "", "Form", "Spot"),
        ("def fallible(self, x) -> str: return ''", "", "i32", "str"),
        ("def fallible(self, x) -> Form: return Form.Empty()", "", "i32", "Form"),
        ("def two(self, first: int, second: int): return 1", "second", "string", "int"),
        ("def two(self, second: str, first: int): return 1", "second", "i32", "str"),
        ("def nothing(self) -> int: return 1", "", "()", "int"),
        ("def visit(self, visitor: int): pass", "visitor", "visitor", "int"),
        ("def visit(self, visitor: str | None): pass", "visitor", "visitor", "str | None"),
    ] {
        if !is_python(method) {
            continue;
        }
        let Err(error) = try_load_python(&runtime, "python", &bundle(method)) else {
            mistakes.push(format!("{method}: it is loaded"));
            runtime.unload_bundle(BundleId::new("python")).unwrap();
            continue;
        };
        let name = method.split("def ").nth(1).unwrap().split('(').next().unwrap();
        let place = format!("`{name}` (line {})", line());
        let subject = if argument.is_empty() { "the result".to_owned() } else { format!("the argument `{argument}`") };
        for part in ["test.hinted", &place, &subject, of, " in the contract, and ", hint, " by its hint"] {
            if !error.contains(part) {
                mistakes.push(format!("{method}: no {part:?} in: {error}"));
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    for (method, part) in [
        ("def integer(self): return 1", "takes 0 arguments, and the contract has 1: def integer(self, x)"),
        ("def integer(self, x, y): return 1", "takes 2 arguments, and the contract has 1: def integer(self, x)"),
        ("def integer(self, x, y, z=1): return 1", "takes 2 to 3 arguments, and the contract has 1"),
        ("def integer(): return 1", "lacks `self`"),
        ("def integer(x): return 1", "takes 0 arguments, and the contract has 1: def integer(self, x)"),
        ("@staticmethod\ndef integer(self, x): return 1", "takes 2 arguments, and the contract has 1: def integer(x)"),
        ("@classmethod\ndef integer(cls): return 1", "takes 0 arguments, and the contract has 1"),
        ("def integer(self, *, x): return 1", "needs `x` by name: arguments come by their places"),
        ("def integer(self, x, *, y): return 1", "needs `y` by name"),
        ("async def integer(self, x): return 1", "is asynchronous"),
        ("async def integer(self, x): yield 1", "is asynchronous"),
        ("@staticmethod\nasync def integer(x): return 1", "is asynchronous"),
        ("def nothing(self, x): pass", "takes 1 argument, and the contract has 0: def nothing(self)"),
        ("def two(self, first): return 1", "takes 1 argument, and the contract has 2: def two(self, first, second)"),
        ("integer = lambda self: 1", "takes 0 arguments, and the contract has 1"),
    ] {
        let error = load_error(&bundle(method));
        let place = format!("(line {})", line());
        for part in ["test.hinted", part, &place] {
            assert!(error.contains(part), "{method}: no {part:?} in: {error}");
        }
    }
}

#[test]
fn what_is_no_method_is_refused() {
    for (method, part) in [
        ("integer = 5", "integer"),
        ("integer = None", "integer"),
        ("@property\ndef integer(self): return lambda x: x", "integer"),
        ("def integer(self, x: int", "SyntaxError"),
    ] {
        let error = load_error(&bundle(method));
        assert!(error.contains(part), "{method}: no {part:?} in: {error}");
    }
}

#[test]
fn wrapped_methods_are_what_they_are() {
    let wrapped = "def wrap(f):\n    import functools\n    @functools.wraps(f)\n    def inner(*args): return f(*args)\n    return inner\n@wrap\n";
    drop(loaded(&bundle(&format!("{wrapped}def integer(self, x: int) -> int: return x"))));
    // What is called takes anything, yet the hints are those of the function within.
    let error = load_error(&bundle(&format!("{wrapped}def integer(self, x) -> str: return x")));
    assert!(error.contains("the result is i64 in the contract, and str by its hint"), "{error}");
    drop(loaded(&bundle("import functools\n@functools.lru_cache\ndef integer(self, x: int) -> int: return x")));
    drop(loaded(&bundle("import functools\ninteger = functools.partialmethod(lambda self, a, x: x, 1)")));
}
