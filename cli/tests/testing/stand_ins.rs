//! Stand-ins for host contracts and peers.

use crate::bundle::{Bundle, native, rates, with_schema};
use crate::shops::LANGUAGES;

#[test]
fn a_contract_without_a_stand_in_is_named() {
    let rates = "require('polyplug.test').stand_in('demo.rates@1', { rate = function() return 1 end })\n";
    let asks = "require('polyplug.test').test('asks', function() require('polyplug.test').instance('demo.shop@1'):price('tea', \
                'eur') end)\n";
    for (loader, ..) in LANGUAGES {
        let run = Bundle::shop(loader).with("tests/a.lua", format!("{rates}{asks}")).test(&[]).is(1);
        run.says(&["demo.journal.write", "no test stands in for this host contract", "`stand_in`"]);
        let run = Bundle::shop(loader).with("tests/a.lua", asks).test(&[]).is(3);
        run.says(&[
            "could not be run: bundle `shop` needs demo.rates@1.0 of another bundle",
            "declare `stand_in(\"demo.rates@1\", { .. })` in tests/a.lua",
            "`--with`",
        ]);
    }
}

#[test]
fn another_bundle_may_be_loaded_before() {
    let other = rates();
    let suite = "local t = require('polyplug.test')\nt.stand_in('demo.journal@1', { write = function() return 1 end, last = \
                 function() end })\nt.test('asks', function() t.equals(t.instance('demo.shop@1'):price('tea', 'eur'), 700) end)\n";
    let run = Bundle::shop("js").with("tests/a.lua", suite).test(&["--with", other.folder.path().to_str().unwrap()]);
    run.is(0).says(&["ok      asks"]);
}

#[test]
fn stand_ins_get_objects_of_the_plugin() {
    let reader = "local polyplug = require('polyplug')\nlocal feed = polyplug.host('demo.feed@1')\nlocal R = \
                  polyplug.plugin('demo.reader@1')\nfunction R:read()\n  local all = {}\n  feed:each({ put = function(_, text) \
                  all[#all + 1] = text; return #all < 2 end })\n  return all\nend\n";
    let lua = "local t = require('polyplug.test')\nt.stand_in('demo.feed@1', { each = function(_, sink)\n  local count = 0\n  \
               for _, text in ipairs({ 'a', 'b', 'c' }) do\n    count = count + 1\n    if not sink:put(text) then break end\n  \
               end\n  return count\nend })\nt.test('reads', function() t.equals(t.instance('demo.reader@1'):read(), { 'a', 'b' \
               }) end)\n";
    let python = "from polyplug.test import instance, stand_in\n\nclass Feed:\n    def each(self, sink):\n        return \
                  len([text for text in 'abc' if sink.put(text)])\n\nstand_in('demo.feed@1', Feed())\n\ndef test_reads():\n    \
                  assert instance('demo.reader@1').read() == ['a', 'b', 'c']\n";
    let js = "import { assert, instance, standIn, test } from 'polyplug/test';\nstandIn('demo.feed@1', { each: (sink) => ['a', \
              'b'].filter((text) => sink.put(text)).length });\ntest('reads', () => \
              assert.deepEqual(instance('demo.reader@1').read(), ['a', 'b']));\n";
    let bundle = Bundle::new("name = \"reader\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n")
        .with("main.lua", reader)
        .with("tests/a.lua", lua)
        .with("tests/a.py", python)
        .with("tests/a.js", js);
    bundle.test(&[]).is(0).says(&["3 passed, 0 failed"]);
}

#[test]
fn a_stand_in_has_all_methods_of_its_contract() {
    for (file, suite) in [
        ("a.lua", "require('polyplug.test').stand_in('demo.journal@1', { write = function() return 1 end })\n"),
        (
            "a.py",
            "from polyplug.test import stand_in\nclass J:\n    def write(self, line): return 1\nstand_in('demo.journal@1', J())\n",
        ),
        ("a.js", "import { standIn } from 'polyplug/test';\nstandIn('demo.journal@1', { write: () => 1 });\n"),
    ] {
        let run = Bundle::shop("lua").with(&format!("tests/{file}"), suite).test(&[]).is(3);
        run.says(&["could not be run", "demo.journal@1", "`last`"]);
    }
    let run = rates()
        .with("tests/a.py", "from polyplug.test import stand_in\nclass J: pass\nstand_in('demo.journal@1', J)\n");
    run.test(&[]).is(3).says(&["not the class J: write J()"]);
    let run = rates().with("tests/a.lua", "require('polyplug.test').stand_in('demo.journal@1', 5)\n").test(&[]).is(3);
    run.says(&["a table with the contract's methods is expected, not number", "tests/a.lua:1"]);
}

/// Makes a bundle with a native plugin that calls its host, also on threads of its own, and another bundle.
fn caller() -> Bundle {
    let needs = "[[host]]\ncontract = \"test.logger@1\"\n[[dependency]]\ncontract = \"demo.calculator@1\"\n";
    with_schema(with_schema(native("plugin_caller", needs), "test.logger"), "demo.calculator")
}

/// Stand-ins for the needs of [`caller`], in Lua.
const CALLER_STAND_INS: &str = r#"
local t = require("polyplug.test")
local lines = {}
t.stand_in("test.logger@1", {
  log = function(_, line) lines[#lines + 1] = line; return #lines end,
  panics = function(_, words) error(words) end,
  lines = function() return lines end,
})
t.stand_in("demo.calculator@1", { add = function(_, a, b) return 10 * a + b end, divide = print, greet = print, sum = print })
"#;

#[test]
fn stand_ins_serve_native_plugins() {
    let lua = r#"
t.test("calls", function()
  local caller = t.instance("test.caller@1")
  t.equals(caller:log("first"), 1)
  t.equals(caller:log("second"), 2)
  t.equals(caller:lines(), { "first", "second" })
  t.equals(caller:add(4, 2), 42)
  t.raises(function() caller:host_panics("words of the test") end, "words of the test")
end)
"#;
    let python = r#"
from polyplug.test import instance, stand_in

class Logger:
    def __init__(self):
        self.written = []
    def log(self, line):
        self.written.append(line)
        return len(self.written)
    def panics(self, words):
        raise ValueError(words)
    def lines(self):
        return self.written

class Calculator:
    def add(self, a, b): return a + b
    def divide(self, a, b): return 0
    def greet(self, name): return name
    def sum(self, data): return 0

logger = stand_in("test.logger@1", Logger())
stand_in("demo.calculator@1", Calculator())

def test_calls_of_other_threads():
    assert instance("test.caller@1").log_on_threads(3, 4) <= 12
    assert len(logger.written) == 12
"#;
    let bundle = caller().with("tests/a.lua", format!("{CALLER_STAND_INS}{lua}")).with("tests/b.py", python);
    bundle.test(&[]).is(0).says(&["ok      calls", "ok      test_calls_of_other_threads"]);
}

#[test]
fn a_test_that_cannot_be_ended_is_given_up() {
    // The plugin waits for its threads, and they wait for the Lua state, in which the test runs.
    let lua =
        "t.test('waits', function() t.instance('test.caller@1'):log_on_threads(1, 1) end)\nt.test('next', print)\n";
    let bundle =
        caller().with("tests/a.lua", format!("{CALLER_STAND_INS}{lua}")).with("tests/b.py", "def test_it(): pass\n");
    bundle.test(&["--timeout", "1"]).is(3).says(&[
        "FAILED  waits",
        "the test did not return in time, and cannot be ended",
        "serve one thread at a time",
        "tests/b.py\n  could not be run: not run: a test before does not return",
        "0 passed, 1 failed, 2 files could not be run",
    ]);
}
