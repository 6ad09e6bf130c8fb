//! The page on C: its code is from the examples, which are compiled and run.

use super::{page, root};

#[test]
fn it_shows_the_examples() {
    let page = page("c.md");
    let source = |name: &str| std::fs::read_to_string(root().join("examples/c").join(name)).expect("an example");
    let sources = ["host.c", "plugin.c", "greeter.h"].map(source);
    let shown: Vec<_> = page.split("\n```c\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(rest)).collect();
    assert!(shown.len() >= 5, "the page shows what it is about");
    for piece in shown {
        assert!(
            sources.iter().any(|source| source.contains(piece)),
            "none of the examples in examples/c has:\n{piece}"
        );
    }
}
