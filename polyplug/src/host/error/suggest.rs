//! The suggestion of a known name for a mistyped one.

/// Returns the end of an error's sentence about an unknown `name`: a question that names the nearest candidate, or
/// nothing if no candidate is near.
pub(crate) fn did_you_mean(name: &str, candidates: &[&str]) -> String {
    nearest(name, candidates).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
}

/// Returns the end of an error's sentence about an unknown `contract`, such as `demo.calculatr@1`: a question that names
/// the nearest of `known`, each with its version, or nothing if none is near.
pub(crate) fn did_you_mean_contract(contract: &str, known: &[String]) -> String {
    let name = |contract: &'_ str| contract.split('@').next().unwrap_or_default().to_owned();
    let names: Vec<String> = known.iter().map(|contract| name(contract)).collect();
    let candidates: Vec<_> = names.iter().map(String::as_str).collect();
    let near = nearest(&name(contract), &candidates);
    // A bundle may lack, in the way it asks, the very contract that is known.
    let near = near.and_then(|near| known.iter().find(|known| name(known) == near && *known != contract));
    near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
}

/// Adds the nearest known name to a text of serde about an unknown key or case. Leaves other texts as they are.
pub(crate) fn with_near_key(text: &str) -> String {
    let Some(rest) = text.strip_prefix("unknown field ").or_else(|| text.strip_prefix("unknown variant ")) else {
        return text.to_owned();
    };
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next() else { return text.to_owned() };
    let known: Vec<_> = quoted.collect();
    format!("{text}{}", did_you_mean(unknown, &known))
}

/// Returns the candidate that takes the fewest edits, or `None` if each takes more edits than about a third of the name's
/// length: none for one letter, one for up to four letters, two for up to seven.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let limit = (name.chars().count() + 1) / 3;
    let near = candidates.iter().map(|candidate| (distance(name, candidate), *candidate));
    near.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, near)| near)
}

/// Returns the number of letters that have to be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = [vec![0; b.len() + 1], (0..=b.len()).collect(), Vec::new()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            row.push(best);
        }
        rows[2] = row;
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_found() {
        let known = ["divide", "greet", "add", "sum_of_all"];
        assert_eq!(nearest("divdie", &known), Some("divide"));
        assert_eq!(nearest("gret", &known), Some("greet"));
        assert_eq!(nearest("addd", &known), Some("add"));
        assert_eq!(nearest("sum_of_al", &known), Some("sum_of_all"));
        assert_eq!(nearest("multiply", &known), None);
        assert_eq!(nearest("x", &[]), None);
        assert_eq!(nearest("x", &["y", "z"]), None);
        assert_eq!(nearest("Pink", &["Line", "Point"]), None);
    }

    #[test]
    fn contracts_are_suggested_with_their_versions() {
        let known = ["demo.clock@1.0".to_owned(), "demo.calculator@1.2".to_owned()];
        assert_eq!(did_you_mean_contract("demo.calculatr@1", &known), " (did you mean `demo.calculator@1.2`?)");
        assert_eq!(did_you_mean_contract("test.other@1", &known), "");
    }

    #[test]
    fn keys_are_suggested_in_texts_of_serde() {
        let text = "unknown field `loder`, expected one of `name`, `loader`";
        assert_eq!(with_near_key(text), format!("{text} (did you mean `loader`?)"));
        let text = "unknown field `path`, expected `contract`";
        assert_eq!(with_near_key(text), text);
        assert_eq!(with_near_key("missing field `name`"), "missing field `name`");
    }
}
