//! Links: where they lead to.

use std::path::{Component, Path, PathBuf};

/// The target of a link within the repository or the book.
#[derive(Debug, PartialEq)]
pub(crate) struct Target {
    /// The file, without `.` and `..` where they can be resolved.
    pub(crate) file: PathBuf,
    /// What follows `#`.
    pub(crate) anchor: Option<String>,
}

impl Target {
    /// Resolves a link of the file `page`. Returns `None` for a link to elsewhere, such as `https://..`.
    pub(crate) fn resolve(page: &Path, link: &str) -> Option<Self> {
        if is_elsewhere(link) {
            return None;
        }
        let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
        let path = decoded(path.split('?').next().unwrap_or_default());
        let file = match path.as_str() {
            "" => page.to_owned(),
            path => normal(&page.parent().unwrap_or(Path::new("")).join(path)),
        };
        Some(Self { file, anchor: anchor.filter(|anchor| !anchor.is_empty()).map(decoded) })
    }
}

/// Returns whether a link has a scheme, or names another host.
fn is_elsewhere(link: &str) -> bool {
    let scheme = link.split_once(':').map_or("", |(scheme, _)| scheme);
    let letters = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+.-".contains(letter));
    link.starts_with("//") || (!scheme.is_empty() && letters(scheme))
}

/// Returns the text with `%20` and the like as the characters they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = others.get(..2).filter(|_| *first == b'%').and_then(|digits| str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the path with `.` left out, and each `..` and the folder before it.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn leads(link: &str, file: &str, anchor: Option<&str>) {
        let target = Target { file: file.into(), anchor: anchor.map(str::to_owned) };
        assert_eq!(Target::resolve(Path::new("book/lua/page.html"), link), Some(target));
    }

    #[test]
    fn links_lead_from_the_folder_of_their_page() {
        leads("other.html", "book/lua/other.html", None);
        leads("../a%20b.html?x=1#c%C3%A9", "book/a b.html", Some("cé"));
        leads("./x/../y/", "book/lua/y", None);
        leads("../../../up.html", "../up.html", None);
        leads("100%.html", "book/lua/100%.html", None);
    }

    #[test]
    fn a_link_without_a_path_leads_to_its_own_page() {
        leads("#here", "book/lua/page.html", Some("here"));
        leads("#", "book/lua/page.html", None);
    }

    #[test]
    fn links_to_elsewhere_are_none_of_the_books() {
        for link in ["https://example.org/#x", "mailto:a@b", "//example.org/a"] {
            assert_eq!(Target::resolve(Path::new("page.html"), link), None, "{link}");
        }
        leads("c/std::fs.html", "book/lua/c/std::fs.html", None);
    }
}
