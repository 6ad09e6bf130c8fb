//! Reports for other programs.

use std::fs;

use crate::bundle::rates;

#[test]
fn reports_are_read_by_other_programs() {
    let bundle = rates()
        .with("tests/a.lua", "local t = require('polyplug.test')\nt.test('<\"&>', function() print('\\27[1m<') t.equals('<a>', \
                              'b&\"') end)\nt.test('fine', print)\nt.test('later', function() t.skip('not & now') end)\n")
        .with("tests/b.lua", "= <");
    let file = bundle.at("junit.xml");
    bundle.test(&["--junit", file.to_str().unwrap()]).is(3);
    let xml = fs::read_to_string(&file).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("name")), ("testsuites", Some("rates")));
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| root.attribute(name).unwrap());
    assert_eq!(counts, ["4", "1", "1", "1"]);
    let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let names: Vec<_> = cases.iter().map(|case| case.attribute("name").unwrap()).collect();
    assert_eq!(names, ["<\"&>", "fine", "later", "tests/b.lua"]);
    assert_eq!((cases[0].attribute("classname"), cases[0].attribute("line")), (Some("tests/a.lua"), Some("2")));
    let child = |case: usize, name: &str| cases[case].children().find(|node| node.has_tag_name(name)).unwrap();
    assert_eq!(child(0, "failure").attribute("message"), Some("the values differ"));
    let text = child(0, "failure").text().unwrap();
    assert_eq!(text, "the values differ\nat tests/a.lua:2\nexpected: \"b&\\\"\"\nactual: \"<a>\"");
    assert_eq!(child(0, "system-out").text(), Some("[tests] \u{fffd}[1m<"));
    assert_eq!(child(2, "skipped").attribute("message"), Some("not & now"));
    assert!(child(3, "error").attribute("message").unwrap().contains("b.lua:1"), "{xml}");

    let run = bundle.test(&["--json"]).is(3);
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out));
    let tests = &json[0]["tests"];
    assert_eq!((&json[0]["file"], &tests[0]["status"]), (&"tests/a.lua".into(), &"failed".into()));
    assert_eq!((&tests[0]["expected"], &tests[0]["failed_at"]["line"]), (&"\"b&\\\"\"".into(), &2.into()));
    assert_eq!((&tests[1]["status"], &tests[2]["reason"]), (&"passed".into(), &"not & now".into()));
    assert!(json[1]["error"].as_str().unwrap().contains("b.lua:1"));
    bundle.test(&["--junit", "/nowhere/x.xml"]).is(3).complains(&["/nowhere/x.xml"]);
}
