//! The objects that stand for a record in Python: any with the record's fields.

use polyplug::CallError;
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
