//! Errors and panics.

use test_contracts::conformance::{Failing, Problem};
use test_contracts::types::{Colour, Refusal};

#[derive(Default)]
struct Fails;

fn fail(words: &str) -> ! {
    panic!("{words}"); // here
}

#[polyplug::plugin]
impl Failing for Fails {
    fn variant(&self, which: &str) -> Result<u32, Refusal> {
        match which {
            "closed" => Err(Refusal::Closed),
            "full" => Err(Refusal::Full { capacity: 7 }),
            "other" => Err(Refusal::Other("why".to_owned(), i64::MIN)),
            _ => Ok(1),
        }
    }

    fn case(&self) -> Result<String, Colour> {
        Err(Colour::Blue)
    }

    fn record(&self) -> Result<u32, Problem> {
        Err(Problem { code: i64::MAX, text: "no".to_owned() })
    }

    fn text(&self) -> Result<u32, String> {
        Err("no: 5".to_owned())
    }

    fn number(&self) -> Result<String, u64> {
        Err(u64::MAX)
    }

    fn list(&self) -> Result<(), Vec<String>> {
        Err(vec!["a".to_owned(), "b".to_owned()])
    }

    fn tuple(&self) -> Result<(), (u8, Option<String>)> {
        Err((5, None))
    }

    fn throw(&self, words: &str) -> String {
        fail(words)
    }

    fn raise_instead(&self, words: &str) -> Result<u32, Refusal> {
        fail(words)
    }

    fn raise_nothing(&self, words: &str) {
        fail(words)
    }

    fn calm(&self, number: u32) -> u32 {
        number
    }
}
