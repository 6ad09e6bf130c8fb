//! One line in Combined Log Format:
//! `client identity user [time] "method target protocol" status size "referer" "agent"`.
//!
//! Strict on purpose: a line that is almost right is more often damaged than unusual, and a guess would go unnoticed.

use crate::timestamp;
use pipeline_contracts::Entry;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The kind of fault.
    pub flaw: Flaw,
    /// The fault itself.
    pub detail: String,
}

/// The ways in which a line can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// Nothing but white space.
    EmptyLine,
    /// The line ends, or has two separators in a row, where a field should be.
    MissingField,
    /// Two fields are not separated by a space.
    MissingSpace,
    /// A quoted field does not begin or does not end with a quote.
    MissingQuote,
    /// A backslash that stands for nothing, or for bytes that are not UTF-8.
    BadEscape,
    /// Neither an address nor a host name.
    BadClient,
    /// No such moment.
    BadTimestamp,
    /// Not `METHOD target HTTP/n`.
    BadRequestLine,
    /// Not a number from 100 to 599.
    BadStatus,
    /// Neither a number nor `-`.
    BadSize,
    /// More text after the last field.
    TrailingData,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyLine => "empty line",
            Self::MissingField => "missing field",
            Self::MissingSpace => "missing space",
            Self::MissingQuote => "missing quote",
            Self::BadEscape => "bad escape",
            Self::BadClient => "bad client",
            Self::BadTimestamp => "bad timestamp",
            Self::BadRequestLine => "bad request line",
            Self::BadStatus => "bad status",
            Self::BadSize => "bad size",
            Self::TrailingData => "trailing data",
        })
    }
}

/// Reads one line, without its line break.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse(line: &str) -> Result<Entry, Malformed> {
    if line.trim().is_empty() {
        return Err(Flaw::EmptyLine.because("there is nothing on it"));
    }
    let mut fields = Fields { line, at: 0 };
    let client = client(fields.word("client")?)?;
    let _identity = fields.word("identity")?;
    let user = given(fields.word("user")?.into());
    let time = fields.bracketed("time")?;
    let time = timestamp::seconds(time).map_err(|why| Flaw::BadTimestamp.because(format!("{time:?}: {why}")))?;
    let request = fields.quoted("request")?;
    let (method, target, protocol) = request_line(&request)?;
    let status = status(fields.word("status")?)?;
    let size = size(fields.word("size")?)?;
    let referer = given(fields.quoted("referer")?);
    let agent = given(fields.quoted("agent")?);
    fields.end()?;

    Ok(Entry {
        client: client.into(),
        user,
        time,
        method: method.into(),
        target: target.into(),
        protocol: protocol.into(),
        status,
        size,
        referer,
        agent,
    })
}

/// Cuts a line into fields.
struct Fields<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Fields<'a> {
    fn word(&mut self, name: &str) -> Result<&'a str, Malformed> {
        let rest = self.begin(name)?;
        let word = rest.split(' ').next().unwrap_or_default();
        self.at += word.len();
        Ok(word)
    }

    fn bracketed(&mut self, name: &str) -> Result<&'a str, Malformed> {
        let rest = self.begin(name)?;
        let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (inside, _) = inside.ok_or_else(|| {
            Flaw::BadTimestamp.because(format!("the {name} at column {} is not in brackets", self.at + 1))
        })?;
        self.at += inside.len() + 2;
        Ok(inside)
    }

    fn quoted(&mut self, name: &str) -> Result<Cow<'a, str>, Malformed> {
        let rest = self.begin(name)?;
        let column = self.at + 1;
        let Some(inside) = rest.strip_prefix('"') else {
            return Err(Flaw::MissingQuote.because(format!("the {name} at column {column} begins without one")));
        };
        let Some(length) = closing_quote(inside) else {
            return Err(Flaw::MissingQuote.because(format!("the {name} at column {column} never ends")));
        };
        self.at += length + 2;
        unescape(&inside[..length]).map_err(|why| Flaw::BadEscape.because(format!("in the {name}: {why}")))
    }

    /// Steps over the space before a field; the rest begins with that field.
    fn begin(&mut self, name: &str) -> Result<&'a str, Malformed> {
        let rest = &self.line[self.at..];
        let field = if self.at == 0 { Some(rest) } else { rest.strip_prefix(' ') };
        match field {
            _ if rest.is_empty() => Err(Flaw::MissingField.because(format!("the line ends before the {name}"))),
            None => Err(Flaw::MissingSpace.because(format!("before the {name} at column {}", self.at + 1))),
            Some(field) if field.is_empty() || field.starts_with(' ') => {
                Err(Flaw::MissingField.because(format!("no {name} at column {}", self.at + 1)))
            }
            Some(field) => {
                self.at = self.line.len() - field.len();
                Ok(field)
            }
        }
    }

    fn end(&self) -> Result<(), Malformed> {
        match &self.line[self.at..] {
            "" => Ok(()),
            rest => Err(Flaw::TrailingData.because(format!("{:?} after the agent", shortened(rest)))),
        }
    }
}

impl Flaw {
    fn because(self, detail: impl Into<String>) -> Malformed {
        Malformed { flaw: self, detail: detail.into() }
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Undoes what Apache and nginx write for quotes, backslashes, control characters and bytes outside ASCII.
fn unescape(text: &str) -> Result<Cow<'_, str>, String> {
    if !text.contains('\\') {
        return Ok(text.into());
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        plain.push(match rest.next() {
            Some(quoted @ (b'"' | b'\\')) => quoted,
            Some(b'b') => 0x08,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'v') => 0x0b,
            Some(b'r') => b'\r',
            Some(b'x') => match (hex_digit(rest.next()), hex_digit(rest.next())) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err("`\\x` without two hexadecimal digits".into()),
            },
            _ => return Err("a backslash before a character that needs none".into()),
        });
    }
    String::from_utf8(plain).map(Cow::Owned).map_err(|error| format!("the bytes it stands for are no text: {error}"))
}

fn hex_digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).map(|digit| digit as u8)
}

fn client(text: &str) -> Result<&str, Malformed> {
    let is_name = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    if text.parse::<IpAddr>().is_ok() || is_name(text) {
        return Ok(text);
    }
    Err(Flaw::BadClient.because(format!("{:?} is neither an address nor a host name", shortened(text))))
}

fn request_line(text: &str) -> Result<(&str, &str, &str), Malformed> {
    let bad = |why: &str| Flaw::BadRequestLine.because(format!("{:?}: {why}", shortened(text)));

    let mut parts = text.split(' ');
    let (Some(method), Some(target), Some(protocol), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad("not a method, a target and a protocol"));
    };
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
        return Err(bad("the method is not in capital letters"));
    }
    if target.is_empty() || target.contains(char::is_control) {
        return Err(bad("the target is empty or has control characters"));
    }
    match protocol.strip_prefix("HTTP/").map(str::as_bytes) {
        Some([major] | [major, b'.', b'0'..=b'9']) if major.is_ascii_digit() => Ok((method, target, protocol)),
        _ => Err(bad("the protocol is not HTTP/n or HTTP/n.n")),
    }
}

fn status(text: &str) -> Result<u16, Malformed> {
    let status = text.parse().ok().filter(|status| text.len() == 3 && (100..600).contains(status));
    status.ok_or_else(|| Flaw::BadStatus.because(format!("{:?} is not a number from 100 to 599", shortened(text))))
}

fn size(text: &str) -> Result<u64, Malformed> {
    let size = match text {
        "-" => Some(0),
        // `parse` alone would take a plus sign.
        _ => text.parse().ok().filter(|_| !text.starts_with('+')),
    };
    size.ok_or_else(|| Flaw::BadSize.because(format!("{:?} is neither a number nor `-`", shortened(text))))
}

fn given(text: Cow<'_, str>) -> Option<String> {
    (!matches!(&*text, "" | "-")).then(|| text.into_owned())
}

/// Enough of a field to recognise it by.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = concat!(
        r#"203.0.113.9 - frank [10/Oct/2000:13:55:36 -0700] "GET /search?q=a%20b HTTP/1.1" 200 2326 "#,
        r#""https://example.org/start" "Mozilla/5.0 (X11; Linux x86_64)""#
    );

    #[track_caller]
    fn entry(line: &str) -> Entry {
        parse(line).unwrap_or_else(|malformed| panic!("{line}\n{malformed:?}"))
    }

    #[track_caller]
    fn rejected(line: &str, flaw: Flaw) -> String {
        let malformed = parse(line).expect_err(line);
        assert_eq!(malformed.flaw, flaw, "{line}\n{}", malformed.detail);
        malformed.detail
    }

    /// The good line with one part replaced, which must be there.
    #[track_caller]
    fn with(part: &str, other: &str) -> String {
        assert!(GOOD.contains(part), "{part}");
        GOOD.replacen(part, other, 1)
    }

    #[test]
    fn every_field_of_a_good_line() {
        assert_eq!(
            entry(GOOD),
            Entry {
                client: "203.0.113.9".into(),
                user: Some("frank".into()),
                time: 971_211_336,
                method: "GET".into(),
                target: "/search?q=a%20b".into(),
                protocol: "HTTP/1.1".into(),
                status: 200,
                size: 2326,
                referer: Some("https://example.org/start".into()),
                agent: Some("Mozilla/5.0 (X11; Linux x86_64)".into()),
            }
        );
    }

    #[test]
    fn what_is_not_there() {
        let entry = entry(r#"2001:db8::7 - - [10/Oct/2000:13:55:36 -0700] "HEAD / HTTP/2.0" 304 - "-" """#);
        assert_eq!((entry.user, entry.size, entry.referer, entry.agent), (None, 0, None, None));
    }

    #[test]
    fn clients() {
        for client in ["198.51.100.1", "::1", "2001:db8::1", "crawl-66.example.net", "localhost"] {
            assert_eq!(entry(&with("203.0.113.9", client)).client, client);
        }
        for client in ["203.0.113.256", "203.0.113", "2001:db8::g", "a/b", "-", "münchen"] {
            rejected(&with("203.0.113.9", client), Flaw::BadClient);
        }
    }

    #[test]
    fn escapes_in_quoted_fields() {
        let agent = |text: &str| entry(&with("Mozilla/5.0 (X11; Linux x86_64)", text)).agent.unwrap();
        assert_eq!(agent(r#"a \"quoted\" name"#), r#"a "quoted" name"#);
        assert_eq!(agent(r"back\\"), r"back\");
        assert_eq!(agent(r"caf\xc3\xA9\t!"), "café\t!");
        assert_eq!(agent("café"), "café");

        let bad = |text: &str| rejected(&with("Mozilla/5.0 (X11; Linux x86_64)", text), Flaw::BadEscape);
        bad(r"\q");
        bad(r"\x4");
        bad(r"\x4+");
        assert!(bad(r"caf\xe9").starts_with("in the agent: the bytes it stands for are no text"));
    }

    #[test]
    fn text_outside_ascii_in_the_target() {
        assert_eq!(entry(&with("/search?q=a%20b", "/wiki/Zürich")).target, "/wiki/Zürich");
    }

    #[test]
    fn timestamps() {
        let detail = rejected(&with("Oct", "Okt"), Flaw::BadTimestamp);
        assert_eq!(detail, r#""10/Okt/2000:13:55:36 -0700": unknown month"#);
        rejected(&with("[10", "10"), Flaw::BadTimestamp);
        rejected(&with("0700]", "0700"), Flaw::BadTimestamp);
    }

    #[test]
    fn request_lines() {
        for request in ["-", "", "GET /", "GET / HTTP/1.1 x", "get / HTTP/1.1", "GET  HTTP/1.1", "GET / FTP/1.1"] {
            rejected(&with("GET /search?q=a%20b HTTP/1.1", request), Flaw::BadRequestLine);
        }
        for request in ["GET / HTTP/1.", "GET / HTTP/", "GET / HTTP/x", r"GET /\n HTTP/1.1", r"\x16\x03\x01"] {
            rejected(&with("GET /search?q=a%20b HTTP/1.1", request), Flaw::BadRequestLine);
        }
        for request in ["OPTIONS * HTTP/1.0", "GET / HTTP/3", "M-SEARCH http://a.example/ HTTP/1.1"] {
            entry(&with("GET /search?q=a%20b HTTP/1.1", request));
        }
    }

    #[test]
    fn statuses_and_sizes() {
        for status in ["2O0", "99", "0200", "600", "+20", "-"] {
            rejected(&with(" 200 ", &format!(" {status} ")), Flaw::BadStatus);
        }
        for size in ["-1", "+1", "2k", "18446744073709551616"] {
            rejected(&with(" 2326 ", &format!(" {size} ")), Flaw::BadSize);
        }
        assert_eq!(entry(&with(" 2326 ", " 18446744073709551615 ")).size, u64::MAX);
    }

    #[test]
    fn quotes() {
        assert_eq!(rejected(&with("\"GET", "GET"), Flaw::MissingQuote), "the request at column 50 begins without one");
        rejected(&with("x86_64)\"", "x86_64)"), Flaw::MissingQuote);
        rejected(&with("x86_64)\"", "x86_64)\\\""), Flaw::MissingQuote);
    }

    #[test]
    fn separators() {
        assert_eq!(rejected(&with(" frank", ""), Flaw::BadTimestamp), "the time at column 37 is not in brackets");
        rejected(&with("200 ", "200  "), Flaw::MissingField);
        rejected(&with("\" 200", "\"200"), Flaw::MissingSpace);
        rejected(&with("203", " 203"), Flaw::MissingField);
        rejected(&format!("{GOOD} "), Flaw::TrailingData);
        rejected(&format!("{GOOD} \"extra\""), Flaw::TrailingData);
    }

    #[test]
    fn no_line_cut_short_is_taken_for_a_whole_one() {
        let line = with("Mozilla", "Möz\\\"illa");
        for (end, _) in line.char_indices() {
            let malformed = parse(&line[..end]).expect_err(&line[..end]);
            assert_eq!(malformed.flaw == Flaw::EmptyLine, end == 0);
        }
    }

    #[test]
    fn a_long_field_is_shortened_in_the_message() {
        let detail = rejected(&with("203.0.113.9", &"ü".repeat(100)), Flaw::BadClient);
        assert!(detail.contains(&format!("{}...", "ü".repeat(40))) && detail.len() < 200, "{detail}");
    }
}
