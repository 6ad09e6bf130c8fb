//! The objects that stand for a record in Python: any with the record's fields.

use std::collections::BTreeMap;

use polyplug::{CallError, Type};
use polyplug_tests::child;
use polyplug_tests::python::{Row, Rows, loaded};

const FORMS: &str = r#"
import argparse, collections, dataclasses, enum, types, typing
from polyplug import plugin, types as contract_types

Row = contract_types("test.rows@1").Row


class Item(typing.NamedTuple):
    name: str
    size: int
    note: typing.Optional[str] = None


class Slots:
    __slots__ = ("name", "size", "note")

    def __init__(self):
        self.name, self.size, self.note = "x", 3, None


class Properties:
    name = property(lambda self: "x")
    size = property(lambda self: 3)


class Computed:
    def __getattr__(self, name):
        return {"name": "x", "size": 3, "note": None}[name]


class Heir(Row):
    pass


@dataclasses.dataclass
class Data:
    name: str = "x"
    size: int = 3
    more: int = 4


class Kind(enum.Enum):
    ONE = 1
    name = "x"
    size = 3


class Fails:
    name = "x"

    @property
    def size(self):
        raise RuntimeError("not today")


class Only:
    name = "x"


class Other:
    title = "x"

    def __repr__(self):
        return "Other()"


class Attributes:
    name, size = "x", 3


structseq = collections.namedtuple("structseq", "size name")
FIELDS = {"name": "x", "size": 3}
FORMS = {
    "class": Row("x", 3), "heir": Heir("x", 3), "dict": FIELDS, "ordered": collections.OrderedDict(FIELDS),
    "proxy": types.MappingProxyType(FIELDS), "user": collections.UserDict(FIELDS), "chain": collections.ChainMap({}, FIELDS),
    "named tuple": Item("x", 3), "other order": structseq(3, "x"), "namespace": types.SimpleNamespace(**FIELDS),
    "arguments": argparse.Namespace(**FIELDS), "slots": Slots(), "properties": Properties(), "data": Data(),
    "attributes": Attributes(),
    "wrong type": types.SimpleNamespace(name="x", size="3"), "fails": Fails(), "only": Only(), "other": Other(),
    "misspelt": types.MappingProxyType({"name": "x", "siz": 3}), "computed": Computed(), "number": 5, "text": "x",
    "list": ["x", 3], "tuple": ("x", 3), "none": None, "class itself": Attributes, "set": {"x"},
}


@plugin("test.rows@1")
class Rows:
    def rows(self, form):
        return [FORMS[form]]

    def fails(self, color, shape, pair):
        pass
"#;

#[test]
fn any_object_with_the_fields_is_a_record() {
    let runtime = loaded(FORMS);
    let rows = runtime.proxy::<dyn Rows>().unwrap();
    let row = Row { name: "x".to_owned(), size: 3, note: None };
    for form in [
        "class",
        "heir",
        "dict",
        "ordered",
        "proxy",
        "user",
        "chain",
        "named tuple",
        "other order",
        "namespace",
        "arguments",
        "slots",
        "properties",
        "data",
        "attributes",
        "computed",
    ] {
        assert_eq!(rows.rows(form), Ok(vec![row.clone()]), "{form}");
    }
}

#[test]
fn what_is_no_record_is_told_what_would_be() {
    let runtime = loaded(FORMS);
    let rows = runtime.proxy::<dyn Rows>().unwrap();
    let refused = |form: &str| match rows.rows(form).expect_err(form) {
        CallError::InvalidResult(failure) => failure.message.clone(),
        other => other.to_string(),
    };
    let forms = "it is given as types(..).Row(..), a dict, or any object with the attributes `name`, `size`, `note`";
    for (form, part) in [
        ("other", format!("[0]: expected Row, got Other Other(): {forms}")),
        ("number", format!("[0]: expected Row, got int 5: {forms}")),
        ("text", format!("[0]: expected Row, got str \"x\": {forms}")),
        ("list", format!("[0]: expected Row, got list ['x', 3]: {forms}")),
        ("tuple", format!("[0]: expected Row, got tuple ('x', 3): {forms}")),
        ("none", format!("[0]: expected Row, got None: {forms}")),
        ("set", format!("[0]: expected Row, got set {{'x'}}: {forms}")),
        ("class itself", "[0]: expected Row, got type <class".to_owned()),
        ("only", "[0].size: the field is missing".to_owned()),
        ("wrong type", "[0].size: expected u32, got str \"3\"".to_owned()),
        ("misspelt", "`siz`".to_owned()),
        ("fails", "not today".to_owned()),
    ] {
        let error = refused(form);
        assert!(error.contains(&part), "{form}: no {part:?} in: {error}");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Type)]
enum Kind {
    Plain,
    Rare,
}

#[derive(Debug, Clone, PartialEq, Type)]
enum Mark {
    None,
    Line(f64, Kind),
    Text {
        text: String,
        #[contract(since = "1.1", default = vec![Inner { id: 2, next: None }])]
        inner: Vec<Inner>,
    },
}

#[derive(Debug, Clone, PartialEq, Type)]
struct Inner {
    id: u16,
    #[contract(since = "1.1", default = Some(Box::new(Inner { id: 9, next: None })))]
    next: Option<Box<Inner>>,
}

/// A record that has grown by fields of every type.
#[derive(Debug, Clone, PartialEq, Type)]
struct Grown {
    id: i64,
    maybe: Option<u8>,
    #[contract(since = "1.1", default = true)]
    flag: bool,
    #[contract(since = "1.1", default = u64::MAX)]
    large: u64,
    #[contract(since = "1.1", default = 0.5)]
    narrow: f32,
    #[contract(since = "1.1", default = -2.25)]
    wide: f64,
    #[contract(since = "1.1", default = 'ß')]
    letter: char,
    #[contract(since = "1.1", default = "text".to_owned())]
    lambda: String,
    #[contract(since = "1.2", default = vec![0, 255])]
    bytes: Vec<u8>,
    #[contract(since = "1.2", default)]
    no_bytes: Vec<u8>,
    #[contract(since = "1.2", default = vec!["a".to_owned(), "b".to_owned()])]
    names: Vec<String>,
    #[contract(since = "1.2", default = BTreeMap::from([(1, Kind::Plain), (2, Kind::Rare)]))]
    kinds: BTreeMap<u8, Kind>,
    #[contract(since = "1.2", default = (1, "one".to_owned()))]
    pair: (u8, String),
    #[contract(since = "1.2", default)]
    absent: Option<String>,
    #[contract(since = "1.2", default = Some(5))]
    five: Option<u8>,
    #[contract(since = "1.2", default = Some(None))]
    deep: Option<Option<u8>>,
    #[contract(since = "1.2", default = Ok(3))]
    good: Result<u8, String>,
    #[contract(since = "1.2", default = Err("bad".to_owned()))]
    bad: Result<u8, String>,
    #[contract(since = "1.2", default = Kind::Rare)]
    kind: Kind,
    #[contract(since = "1.2", default = Mark::None)]
    mark: Mark,
    #[contract(since = "1.2", default = Mark::Line(1.5, Kind::Plain))]
    line: Mark,
    #[contract(since = "1.2", default = Mark::Text { text: "t".to_owned(), inner: vec![] })]
    other: Mark,
    #[contract(since = "1.2", default = Box::new(Inner { id: 7, next: None }))]
    inner: Box<Inner>,
    #[contract(since = "1.2", default)]
    nothing: (),
}

#[derive(Debug, Clone, PartialEq, Type)]
struct Refused {
    why: String,
    #[contract(since = "1.2", default = vec![Kind::Rare])]
    kinds: Vec<Kind>,
}

#[polyplug::contract(name = "test.grown_rows", version = "1.2")]
trait GrownRows {
    fn row(&self, form: &str) -> Grown;
    fn marks(&self) -> Vec<Mark>;
    fn fails(&self) -> Result<(), Refused>;
    fn run(&self, code: &str) -> String;
}

const GROWN: &str = r#"
import multiprocessing
from polyplug import plugin, types

T = types("test.grown_rows@1")


def of_main(row):
    made = T.Grown(3)
    return made == row, row.names is not made.names, T.Grown(4, names=["x"])


@plugin("test.grown_rows@1")
class GrownRows:
    def row(self, form):
        if form == "dict":
            return {"id": 3, "maybe": None}
        if form == "after a change":
            changed = T.Grown(3)
            changed.names.append("c")
            changed.kinds.clear()
            changed.inner.id = 0
            assert (changed.no_bytes, changed.bytes) == (b"", b"\0\xff")
        return T.Grown(3) if form != "given" else T.Grown(3, 4, False, names=[], five=None, inner=T.Inner(1, None))

    def marks(self):
        return [T.Mark.Text("x"), T.Mark.Text("y", []), T.Mark.Text("z", [T.Inner(4)])]

    def fails(self):
        raise T.Refused("no")

    def run(self, code):
        with multiprocessing.get_context(code).Pool(1) as pool:
            equal, other, row = pool.apply(of_main, (T.Grown(3),))
            return f"{equal} {other} {row == T.Grown(4, names=['x'])} {row.inner}"
"#;

/// The row of which only the first field is given.
fn grown() -> Grown {
    let text = |text: &str| text.to_owned();
    Grown {
        id: 3,
        maybe: None,
        flag: true,
        large: u64::MAX,
        narrow: 0.5,
        wide: -2.25,
        letter: 'ß',
        lambda: text("text"),
        bytes: vec![0, 255],
        no_bytes: vec![],
        names: vec![text("a"), text("b")],
        kinds: BTreeMap::from([(1, Kind::Plain), (2, Kind::Rare)]),
        pair: (1, text("one")),
        absent: None,
        five: Some(5),
        deep: Some(None),
        good: Ok(3),
        bad: Err(text("bad")),
        kind: Kind::Rare,
        mark: Mark::None,
        line: Mark::Line(1.5, Kind::Plain),
        other: Mark::Text { text: text("t"), inner: vec![] },
        inner: Box::new(Inner { id: 7, next: None }),
        nothing: (),
    }
}

#[test]
fn fields_of_classes_that_came_later_have_their_defaults() {
    let runtime = loaded(GROWN);
    let rows = runtime.proxy::<dyn GrownRows>().unwrap();
    for form in ["class", "after a change", "dict"] {
        assert_eq!(rows.row(form), Ok(grown()), "{form}");
    }
    let given = Grown {
        maybe: Some(4),
        flag: false,
        names: vec![],
        five: None,
        inner: Box::new(Inner { id: 1, next: None }),
        ..grown()
    };
    assert_eq!(rows.row("given"), Ok(given));
    let inner = |id, next: Option<Inner>| Inner { id, next: next.map(Box::new) };
    let mark = |name: &str, inner| Mark::Text { text: name.to_owned(), inner };
    let marks = [("x", vec![inner(2, None)]), ("y", vec![]), ("z", vec![inner(4, Some(inner(9, None)))])];
    assert_eq!(rows.marks(), Ok(marks.map(|(name, inner)| mark(name, inner)).to_vec()));
    assert_eq!(rows.fails(), Ok(Err(Refused { why: "no".to_owned(), kinds: vec![Kind::Rare] })));
}

#[test]
fn classes_in_other_processes_have_the_same_defaults() {
    if !child::alone("classes_in_other_processes_have_the_same_defaults") {
        return;
    }
    let runtime = loaded(GROWN);
    let rows = runtime.proxy::<dyn GrownRows>().unwrap();
    assert_eq!(rows.run("spawn"), Ok("True True True Inner(id=7, next=None)".to_owned()));
}
