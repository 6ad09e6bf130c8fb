#[derive(polyplug::Type)]
pub enum Term {
    Number(i64),
    Negated(Term),
}

fn main() {}
