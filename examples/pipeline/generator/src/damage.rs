//! What goes wrong with lines on their way to a disk, and what servers write that is no request.

use crate::random::Random;

type Damage = fn(String, &mut Random) -> Vec<u8>;

/// Each as likely as its weight says. None of them leaves a line that is still right.
const DAMAGES: &[(u64, Damage)] = &[
    (5, cut_short),
    (4, not_http),
    (3, |_, _| Vec::new()),
    (3, |line, _| replaced(&line, "/2024:", "/24:")),
    (2, |line, _| replaced(&line, "/Feb/", "/Fev/")),
    (2, |line, _| replaced(&line, " +1300]", "")),
    (2, |line, _| replaced(&line, " - - [", " -  [")),
    (2, |line, random| without_word(line, 0, random)),
    (2, |line, random| without_word(line, 1, random)),
    (2, |line, _| replaced(&line, "\" 200 ", "\" 2O0 ")),
    (2, |line, _| replaced(&line, "\" 404 ", "\" 4040 ")),
    (2, |line, _| replaced(&line, "GET ", "get ")),
    (2, |line, _| replaced(&line, " HTTP/", " ")),
    (2, without_last_quote),
    (2, |line, _| [line.as_bytes(), b" rt=0.004"].concat()),
    (2, |line, _| replaced(&line, " - ", ".999 - ")),
    (1, |line, _| replaced(&line, "\" \"", "\" \"caf\\xe9 ")),
    (2, in_latin_1),
];

pub(crate) fn damaged(line: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let text = String::from_utf8(line).expect("a line is text until it is damaged");
    random.weighted(DAMAGES)(text, random)
}

/// As when the disk is full.
fn cut_short(line: String, random: &mut Random) -> Vec<u8> {
    let end = random.between(1, line.len() as u64 - 1) as usize;
    line.as_bytes()[..end].to_vec()
}

/// Someone speaks TLS or another protocol to a port that speaks HTTP.
fn not_http(line: String, random: &mut Random) -> Vec<u8> {
    const GREETINGS: &[&str] = &[
        r"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03",
        r"\x03\x00\x00/*\xE0\x00\x00\x00\x00\x00Cookie: mstshash=Administr",
        r"SSH-2.0-Go",
        "-",
    ];
    let Some((before, _)) = line.split_once(" \"") else {
        return cut_short(line, random);
    };
    format!(r#"{before} "{}" 400 150 "-" "-""#, random.pick(GREETINGS)).into_bytes()
}

/// Status or size gets lost: the first and the second word after the request.
fn without_word(line: String, number: usize, random: &mut Random) -> Vec<u8> {
    let Some((before, after)) = line.split_once("\" ") else {
        return cut_short(line, random);
    };
    let mut words: Vec<_> = after.split(' ').collect();
    words.remove(number);
    format!("{before}\" {}", words.join(" ")).into_bytes()
}

fn without_last_quote(mut line: String, _: &mut Random) -> Vec<u8> {
    line.pop();
    line.into_bytes()
}

/// A name that the server passed on as it came, in an encoding of old.
fn in_latin_1(line: String, random: &mut Random) -> Vec<u8> {
    let Some((before, after)) = line.split_once(" /") else {
        return cut_short(line, random);
    };
    [before.as_bytes(), b" /caf\xe9", after.as_bytes()].concat()
}

/// The line with the first `part` replaced, or without its end where it has no such part.
fn replaced(line: &str, part: &str, other: &str) -> Vec<u8> {
    if line.contains(part) {
        line.replacen(part, other, 1).into_bytes()
    } else {
        without_last_quote(line.to_owned(), &mut Random::new(0))
    }
}
