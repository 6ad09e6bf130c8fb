//! The arguments that a plugin's class in Python gets: the context where it asks for it, and nothing else.

use polyplug_tests::lua::run;
use polyplug_tests::python::{load_error, loaded};

/// Returns a bundle whose class `A` answers with `answer`.
fn bundle(class: &str, answer: &str) -> String {
    let lines: String = class.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "import dataclasses, functools, threading, typing, polyplug\nfrom polyplug import plugin\n\n\
         def make():\n{lines}    return A\n\nA = make()\n\
         A.run = lambda self, code: str({answer})\nplugin('test.script@1')(A)\n"
    )
}

#[test]
fn the_context_is_for_a_first_argument_without_a_default() {
    for (class, answer) in [
        ("class A:\n def __init__(self, ctx): self.got = ctx", "self.got.bundle"),
        ("class A:\n def __init__(self, c): self.got = c", "self.got.bundle"),
        ("class A:\n def __init__(self, c, /): self.got = c", "self.got.bundle"),
        ("class A:\n def __init__(self, ctx=None): self.got = ctx", "self.got.bundle"),
        ("class A:\n def __init__(self, context=None, size=3): self.got = context", "self.got.bundle"),
        ("class A:\n def __init__(self, ctx, size=3, *, more=4): self.got = ctx", "self.got.bundle"),
        ("class A:\n def __init__(self, host: 'object'): self.got = host", "self.got.bundle"),
        (
            "class A:\n def __new__(cls, ctx):\n  made = object.__new__(cls)\n  made.got = ctx\n  return made",
            "self.got.bundle",
        ),
        ("@dataclasses.dataclass\nclass A:\n ctx: object\n size: int = 3", "self.ctx.bundle"),
        ("class Base:\n def __init__(self, ctx): self.got = ctx\nclass A(Base): pass", "self.got.bundle"),
        ("class A:\n @functools.lru_cache\n def __init__(self, ctx): self.got = ctx", "self.got.bundle"),
    ] {
        let runtime = loaded(&bundle(class, answer));
        assert_eq!(run(&runtime, "").as_deref(), Ok("python"), "{class}");
    }
}

#[test]
fn an_argument_with_a_default_is_the_authors() {
    for (class, answer, expected) in [
        ("class A:\n def __init__(self, greeting='Hello'): self.got = greeting", "self.got", "Hello"),
        ("class A:\n def __init__(self, size: int = 3): self.got = size", "self.got", "3"),
        ("class A:\n def __init__(self, *args, **named): self.got = args, named", "self.got", "((), {})"),
        ("class A:\n def __init__(self, *, more=4): self.got = more", "self.got", "4"),
        ("@dataclasses.dataclass\nclass A:\n size: int = 3", "self.size", "3"),
        (
            "@dataclasses.dataclass\nclass A:\n names: list = dataclasses.field(default_factory=list)",
            "self.names",
            "[]",
        ),
        ("class P(typing.Protocol):\n def run(self, code): ...\nclass A(P): pass", "type(self).__name__", "A"),
        ("class A(threading.Thread): pass", "self.is_alive()", "False"),
        ("class A(dict): pass", "len(self)", "0"),
        ("class A: pass", "type(self).__name__", "A"),
    ] {
        let runtime = loaded(&bundle(class, answer));
        assert_eq!(run(&runtime, "").as_deref(), Ok(expected), "{class}");
    }
}

#[test]
fn a_required_argument_beside_the_context_is_an_error_of_the_load() {
    for (class, parts) in [
        ("class A:\n def __init__(self, size: int): pass", ["`size: int`", "is not the context"]),
        ("class A:\n def __init__(self, names: 'list[str]'): pass", ["`names: 'list[str]'`", "is not the context"]),
        ("@dataclasses.dataclass\nclass A:\n size: int", ["`size: int`", "is not the context"]),
        ("@dataclasses.dataclass\nclass A:\n size: object", ["`size: object`", "is not the context"]),
        ("class A:\n def __init__(self, ctx, size): pass", ["`size` has no default", "more than the context"]),
        ("class A:\n def __init__(self, *, size): pass", ["`size` has no default", "by name"]),
    ] {
        let error = load_error(&bundle(class, "1"));
        for part in
            ["__init__ of A", "def __init__(self, ctx)", "give a default to other arguments"].iter().chain(&parts)
        {
            assert!(error.contains(part), "{class}: no {part:?} in: {error}");
        }
    }
}
