//! Which tests run, with which settings and limits, and what keeps them from being run.

use crate::bundle::{Bundle, Run, polyplug, rates};
use crate::shops::LANGUAGES;

#[test]
fn the_remaining_files_run_if_one_cannot() {
    let fine = "require('polyplug.test').test('fine', function() end)\n";
    for (file, text, words) in [
        ("a.lua", "local x = = 1\n", "tests/a.lua:1"),
        ("a.py", "\ndef test_it(:\n    pass\n", "a.py"),
        ("a.js", "import { test } from 'polyplug/test';\ntest('x' () => {});\n", "tests/a.js:2"),
        ("a.lua", "local t = require('polyplug.test')\nt.test('x')\n", "the function of the test is expected, not nil"),
        ("a.py", "import nowhere\n", "nowhere"),
        ("a.js", "import { tset } from 'polyplug/test';\n", "tset"),
        ("a.js", "import { test } from 'polyplug/tests';\n", "polyplug/tests"),
    ] {
        let bundle = rates().with("tests/b.lua", fine).with(&format!("tests/{file}"), text);
        let run = bundle.test(&[]).is(3);
        run.says(&["could not be run", words, "ok      fine", "1 passed, 0 failed, 1 file could not be run"]);
    }
    let run = rates().with("main.lua", "error('no plugin today')\n").with("tests/b.lua", fine).test(&[]).is(3);
    run.says(&["could not be run: bundle `rates`", "no plugin today"]);
}

#[test]
fn missing_tests_are_an_error_with_the_remedy() {
    rates().test(&[]).is(3).complains(&["bundle `rates` has no tests", "NAME.lua"]);
    rates().with("tests/_helper.lua", "").test(&[]).is(3).complains(&["bundle `rates` has no tests"]);
    for (file, text, words) in [
        ("a.lua", "", "declare test(\"name\", function() .. end)"),
        ("a.lua", "require('polyplug.test')\n", "tests/a.lua declares no tests"),
        ("a.py", "def tset_it(): pass\n", "functions whose names begin with `test_`"),
        ("a.js", "", "declare test(\"name\", () => { .. }) of \"polyplug/test\""),
        ("a.js", "import 'polyplug/test';\n", "tests/a.js declares no tests"),
    ] {
        rates().with(&format!("tests/{file}"), text).test(&[]).is(3).says(&["could not be run", words]);
    }
    Run::of(polyplug().args(["test", "/nowhere"])).is(3).complains(&["/nowhere", "no bundle there"]);
    Run::of(polyplug().args(["test", ".", "--timeout", "0"])).is(2).complains(&["--timeout"]);
}

#[test]
fn a_test_has_a_limited_time() {
    for (file, text) in [
        (
            "a.lua",
            "local t = require('polyplug.test')\nt.test('endless', function() while true do end end)\nt.test('next', \
                   function() end)\n",
        ),
        ("a.py", "def test_endless():\n    while True: pass\ndef test_next(): pass\n"),
        (
            "a.js",
            "import { test } from 'polyplug/test';\ntest('endless', () => { for (;;); });\ntest('next', () => {});\n",
        ),
    ] {
        let run = rates().with(&format!("tests/{file}"), text).test(&["--timeout", "1"]).is(1);
        run.says(&[
            "FAILED",
            "endless",
            "the test takes longer than 1 s: `--timeout` sets the limit",
            "1 passed, 1 failed",
        ]);
    }
    let stand_ins = "local t = require('polyplug.test')\nt.stand_in('demo.journal@1', { write = print, last = print })\n\
                     t.stand_in('demo.rates@1', { rate = print })\n";
    let suite =
        "t.test('waits', function() t.instance('demo.shop@1'):wait(true) end)\nt.test('next', function() end)\n";
    for (loader, ..) in LANGUAGES {
        let bundle = Bundle::shop(loader).with("tests/a.lua", format!("{stand_ins}{suite}"));
        bundle.test(&["--timeout", "1"]).is(1).says(&["takes longer than", "ok      next", "1 passed, 1 failed"]);
    }
}

#[test]
fn settings_are_given_by_the_command_line_and_the_manifest() {
    let stand_ins = "local t = require('polyplug.test')\nt.stand_in('demo.journal@1', { write = print, last = print })\n\
                     t.stand_in('demo.rates@1', { rate = print })\n";
    let suite =
        format!("{stand_ins}t.test('it', function() t.equals(t.instance('demo.shop@1'):greeting(), 'Hello') end)\n");
    let bundle = Bundle::shop("python").with("tests/a.lua", suite);
    bundle.test(&[]).is(0);
    bundle.test(&["--config", "greeting = 'Hi'"]).is(1).says(&["- \"Hello\"", "+ \"Hi\""]);
    bundle.test(&["--config", "greeting"]).is(3).complains(&["--config greeting: no TOML"]);
}

#[test]
fn tests_are_chosen_by_a_part_of_their_name() {
    let bundle = rates()
        .with("tests/a.lua", "local t = require('polyplug.test')\nt.test('one', print)\nt.test('two', print)\n")
        .with("tests/b.py", "def test_two(): pass\n");
    bundle.test(&["--filter", "two"]).is(0).says(&["ok      two", "ok      test_two", "2 passed"]);
    bundle.test(&["--filter", "b.py"]).is(0).says(&["ok      test_two", "\n1 passed"]);
    bundle.test(&["--filter", "three"]).is(3).complains(&["no test has a name that contains `three`"]);
}
