//! What the report says of a failed test.

use std::fs;

use crate::bundle::{Bundle, RATES, Run, polyplug, rates};

#[test]
fn failures_have_their_message_place_and_difference() {
    let lua = r#"local t = require("polyplug.test")
t.test("values", function()
  print("before")
  t.equals({ a = 1, list = { "x", "y" } }, { a = 1, list = { "x", "z" } }, "a note")
end)
local function helper() t.is_true(false) end
t.test("calls", function()
  helper()
end)
t.test("exceptions", function() local nothing; nothing.field = 1 end)
t.test("declared", function() error({ tag = "Odd", val = { at = 7 } }) end)
t.test("nothing raised", function() t.raises(function() end) end)
t.test("left out", function() t.skip("not now") end)
"#;
    let run = rates().with("tests/rates.lua", lua).test(&[]).is(1);
    run.says(&[
        "  FAILED  values",
        "    tests/rates.lua:4\n    a note: the values differ\n    - expected + actual\n",
        "      a = 1,\n        list = {\n          \"x\",\n    -     \"z\",\n    +     \"y\",\n",
        "    log:\n    [tests] before\n",
        "    tests/rates.lua:6\n    expected true, got false\n    called at tests/rates.lua:6\n    called at tests/rates.lua:8\n",
        "    tests/rates.lua:10\n    attempt to index local 'nothing'",
        "    tests/rates.lua:11\n    raised {\n      tag = \"Odd\",\n      val = {\n        at = 7,\n",
        "    tests/rates.lua:12\n    no error was raised\n",
        "  skipped left out: not now\n",
        "\n0 passed, 5 failed, 1 skipped\n",
    ]);

    let python = "from polyplug.test import fail, raises, skip\nfrom polyplug import log\n\n\ndef test_values():\n    log('warn', \
                  'before')\n    assert {'a': [1, 2]} == {'a': [1, 3]}, 'a note'\n\n\ndef helper(value):\n    assert value\n\n\ndef \
                  test_calls():\n    helper([])\n\n\ndef test_exceptions():\n    nothing.field\n\n\ndef test_nothing_raised():\n    \
                  with raises(ValueError):\n        pass\n\n\ndef test_other_error():\n    with raises(ValueError, match='x'):\n        \
                  raise ValueError('y')\n\n\ndef test_left_out():\n    skip('not now')\n\n\ndef test_lines():\n    assert 'a\\nb' == \
                  'a\\nc'\n";
    let run = rates().with("tests/test_rates.py", python).test(&[]).is(1);
    run.says(&[
        "  FAILED  test_values",
        "    tests/test_rates.py:7\n    a note: assert {'a': [1, 2]} == {'a': [1, 3]}\n    - expected + actual\n    - {'a': [1, 3]}\n    \
         + {'a': [1, 2]}\n    log:\n    warning: [tests] before\n",
        "    tests/test_rates.py:11\n    assert value, which is []\n    called at tests/test_rates.py:11\n    called at \
         tests/test_rates.py:15\n",
        "    tests/test_rates.py:19\n    NameError: name 'nothing' is not defined",
        "ValueError was not raised",
        "the text of the exception is another one\n    - expected + actual\n    - x\n    + y\n",
        "  skipped test_left_out: not now\n",
        "      a\n    - c\n    + b\n",
        "\n0 passed, 6 failed, 1 skipped\n",
    ]);

    let js = r#"import { log } from "polyplug";
import { assert, skip, test } from "polyplug/test";
test("values", async () => {
  log.info("before");
  await null;
  assert.deepEqual({ a: 1n, m: new Map([["x", [1]]]) }, { a: 1n, m: new Map([["x", [2]]]) }, "a note");
});
function helper() { assert.ok(0); }
test("calls", () => {
  helper();
});
test("exceptions", () => { nothing.field; });
test("nothing thrown", () => assert.throws(() => {}));
test("identity", () => assert.equal([1], [1]));
test("left out", () => skip("not now"));
test.skip("as well", () => {});
"#;
    let run = rates().with("tests/rates.test.js", js).test(&[]).is(1);
    run.says(&[
        "  FAILED  values",
        "    tests/rates.test.js:6\n    a note: the values differ\n    - expected + actual\n",
        "        \"x\" => [\n    -       2,\n    +       1,\n",
        "    log:\n    [tests] before\n",
        "    tests/rates.test.js:8\n    expected a true value, got 0\n    called at tests/rates.test.js:8\n    called at \
         tests/rates.test.js:10\n",
        "    tests/rates.test.js:12\n    ReferenceError: ",
        "    tests/rates.test.js:13\n    no error was thrown\n",
        "use assert.deepEqual",
        "  skipped left out: not now\n  skipped as well\n",
        "\n0 passed, 5 failed, 2 skipped\n",
    ]);
}

#[test]
fn places_are_found_in_folders_with_long_names() {
    let long = tempfile::tempdir().unwrap();
    let folder = long.path().join("a-folder-whose-name-is-longer-than-lua-shows-in-its-errors-by-itself");
    fs::create_dir(&folder).unwrap();
    let lua = "local t = require('polyplug.test')\nlocal part = require('parts.part')\nt.test('own', function() t.fail('x') end)\n\
               t.test('of a part', function() part() end)\nt.test('error', function() error('y') end)\n";
    let bundle = rates()
        .with("tests/a.lua", lua)
        .with("tests/parts/part.lua", "local t = require('polyplug.test')\nreturn function()\n  t.fail('z')\nend\n");
    let run =
        Run::of(polyplug().arg("test").arg(bundle.folder.path()).env("TMPDIR", &folder).env("TMP", &folder)).is(1);
    run.says(&["    tests/a.lua:3\n    x\n", "    tests/parts/part.lua:3\n    z\n", "    tests/a.lua:5\n    y\n"]);
}

#[test]
fn places_of_modules_have_their_whole_path() {
    let bundle = rates()
        .with(
            "tests/a.js",
            "import { test } from 'polyplug/test';\nimport { f } from './part/tests/b.js';\ntest('it', () => f());\n",
        )
        .with("tests/part/tests/b.js", "export function f() {\n  throw new Error('x');\n}\n")
        .with("tests/a.py", "from part.tests.b import f\n\n\ndef test_it():\n    f()\n")
        .with("tests/part/tests/b.py", "def f():\n    raise ValueError('x')\n")
        .with(
            "tests/a.lua",
            "local f = require('part.tests.b')\nrequire('polyplug.test').test('it', function() f() end)\n",
        )
        .with("tests/part/tests/b.lua", "return function()\n  error('x')\nend\n");
    bundle.test(&[]).is(1).says(&[
        "tests/part/tests/b.js:2\n    Error: x\n    called at tests/part/tests/b.js:2\n    called at tests/a.js:3\n",
        "tests/part/tests/b.py:2\n    ValueError: x\n",
        "tests/part/tests/b.lua:2\n    x\n",
        "called at tests/a.lua:2\n",
    ]);
}

#[test]
fn a_bundle_may_be_called_like_the_test_bundle() {
    let suite = "local t = require('polyplug.test')\nt.test('it', function() t.equals(t.instance('demo.rates@1'):rate('eur'), 8) \
                 end)\n";
    let bundle = Bundle::new("name = \"tests\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n")
        .with("main.lua", RATES)
        .with("tests/a.lua", suite);
    bundle.test(&[]).is(1).says(&["tests/a.lua:2\n    the values differ", "- 8\n    + 7\n"]);
}

#[test]
fn assertions_of_modules_show_their_line() {
    let bundle = rates()
        .with("tests/test_it.py", "from _checks import check\n\n\ndef test_it():\n    check(1)\n")
        .with("tests/_checks.py", "def check(value):\n    assert value == 2\n");
    let run = bundle.test(&[]).is(1);
    run.says(&["tests/_checks.py:2\n    AssertionError: assert value == 2\n    called at tests/_checks.py:2\n    called at tests/test_it.py:5"]);
}

#[test]
fn what_no_module_can_catch_is_a_failure_of_the_test() {
    let bundle = rates()
        .with("tests/a.py", "import sys\n\n\ndef test_exit():\n    sys.exit(3)\n\n\ndef test_next():\n    pass\n")
        .with(
            "tests/b.js",
            "import { test } from 'polyplug/test';\ntest('never', () => new Promise(() => {}));\ntest('null', () => { throw \
             null; });\ntest('next', () => {});\n",
        )
        .with("tests/c.lua", "local t = require('polyplug.test')\nt.test('nil', function() error(nil) end)\nt.test('next', print)\n");
    bundle.test(&[]).is(1).says(&[
        "    tests/a.py:5\n    SystemExit: 3\n",
        "    tests/b.js:2\n    the promise that was returned can never settle",
        "    tests/b.js:3\n    threw null\n",
        "    tests/c.lua:2\n    nil\n",
        "\n3 passed, 4 failed\n",
    ]);
}
