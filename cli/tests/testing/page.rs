//! The examples in docs/src/testing.md run.

use crate::bundle::Bundle;

/// Returns the blocks in a language of the page on tests.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../../docs/src/testing.md");
    let parts = page.split(&format!("```{language}\n")).skip(1).collect::<Vec<_>>();
    parts.into_iter().map(|part| part.split("```").next().unwrap()).collect()
}

#[test]
fn the_examples_of_the_page_run() {
    let [manifest, lua, python, js] = ["toml", "lua", "python", "js"].map(blocks);
    assert_eq!([manifest.len(), lua.len(), python.len(), js.len()], [1, 2, 1, 1]);
    let bundle = Bundle::new(manifest[0])
        .with("main.lua", lua[0])
        .with("tests/greeter.lua", lua[1])
        .with("tests/test_greeter.py", python[0])
        .with("tests/greeter.test.js", js[0]);
    bundle.test(&[]).is(0).says(&[
        "ok      greet > needs a name",
        "ok      test_needs_a_name",
        "\n6 passed, 0 failed\n",
    ]);
    bundle.test(&["--config", "morning = 'Hi'"]).is(1).says(&["+ \"Hi, Ada!\"", "3 passed, 3 failed"]);
}
