//! Suites of each language on plugins of each language.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bundle::{Bundle, Run, native, polyplug, with_schema};
use crate::common::without::without;
use crate::shops::LANGUAGES;

/// Adds the suite of each language.
fn with_suites(mut bundle: Bundle) -> Bundle {
    for (_, ending, _, suite, module) in LANGUAGES {
        bundle =
            bundle.with(&format!("tests/test_shop.{ending}"), suite).with(&format!("tests/_rates.{ending}"), module);
    }
    bundle
}

#[test]
fn suites_of_each_language_pass_on_plugins_of_each_language() {
    for (loader, ..) in LANGUAGES {
        let run = with_suites(Bundle::shop(loader)).test(&[]).is(0);
        assert_eq!(run.err, "", "{loader}");
        run.says(&[
            "tests/test_shop.lua\n  ok      price > is calculated with the rate, and written to the journal",
            "tests/test_shop.js\n  ok      price > is calculated with the rate",
            "tests/test_shop.py\n",
            "ok      TestPrice > test_is_calculated_with_the_rate",
            "\n18 passed, 0 failed\n",
        ]);
    }
}

#[test]
fn scripts_test_native_plugins() {
    let lua = "local t = require('polyplug.test')\nt.test('divides', function()\n  local c = t.instance('demo.calculator@1')\n  \
               t.equals(c:divide(6, 3), 2)\n  t.raises(function() c:divide(1, 0) end, 'DivisionByZero')\nend)\n";
    let python = "from polyplug import types\nfrom polyplug.test import instance, raises\n\ndef test_divides():\n    with \
                  raises(types('demo.calculator@1').MathError.DivisionByZero()):\n        \
                  instance('demo.calculator@1').divide(1, 0)\n";
    let js = "import { types } from 'polyplug';\nimport { assert, instance, test } from 'polyplug/test';\nconst { MathError } = \
              types('demo.calculator@1');\ntest('divides', () => assert.throws(() => \
              instance('demo.calculator@1').divide(1n, 0n), MathError.DivisionByZero));\n";
    let bundle = native("plugin_calc", "").with("tests/a.lua", lua).with("tests/a.py", python).with("tests/a.js", js);
    bundle.test(&[]).is(0).says(&["3 passed, 0 failed"]);
}

/// Returns the folder of everything that belongs to .NET, or `None` if the tests are to do without it.
fn dotnet() -> Option<PathBuf> {
    const REMEDY: &str = "there is no .NET: run `cargo xtask fixtures`, or do without: POLYPLUG_TESTS_WITHOUT=dotnet";
    if without("dotnet") {
        return None;
    }
    let mut places = Path::new(env!("CARGO_BIN_EXE_polyplug")).ancestors().map(|folder| folder.join("dotnet"));
    Some(places.find(|place| place.join("lock").is_file() || place.join("sdk").is_file()).expect(REMEDY))
}

#[test]
fn scripts_test_plugins_in_c_sharp() {
    let Some(place) = dotnet() else { return };
    let root = fs::read_to_string(place.join("sdk")).map_or_else(|_| place.join("9.0.1/dotnet"), PathBuf::from);
    let lua = "local t = require('polyplug.test')\nt.test('divides', function()\n  local c = t.instance('demo.calculator@1')\n  \
               t.equals(c:divide(6, 3), 2)\n  t.raises(function() c:divide(1, 0) end, 'DivisionByZero')\nend)\n";
    let python = "from polyplug.test import instance\n\ndef test_adds():\n    assert instance('demo.calculator@1').add(2, 3) == \
                  5\n";
    let js = "import { assert, instance, test } from 'polyplug/test';\ntest('adds', () => \
              assert.equal(instance('demo.calculator@1').add(2, 3), 5));\n";
    let manifest = "name = \"calculator\"\nversion = \"1.0.0\"\nloader = \"dotnet\"\nfile = \"calculator.dll\"\n";
    let assembly = fs::read(place.join("guests/calculator.dll")).expect("run `cargo xtask fixtures`");
    let bundle = with_schema(Bundle::new(manifest).with("calculator.dll", assembly), "demo.calculator");
    let bundle = bundle.with("tests/a.lua", lua).with("tests/a.py", python).with("tests/a.js", js);
    let run = Run::of(polyplug().arg("test").arg(bundle.folder.path()).env("DOTNET_ROOT", root));
    run.is(0).says(&["3 passed, 0 failed"]);
}
