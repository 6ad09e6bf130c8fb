//! The web site whose log this is: a small shop for books, with a blog, an API and a search.

use crate::random::Random;

/// What a visit to one place looks like in the log.
pub(crate) struct Answer {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) status: u16,
    pub(crate) size: u64,
}

impl Answer {
    fn get(target: impl Into<String>, status: u16, size: u64) -> Self {
        Self { method: "GET", target: target.into(), status, size }
    }
}

pub(crate) const HOST: &str = "https://books.example.nz";

const SEARCHES: &[&str] = &["rust", "plugin+architecture", "caf%C3%A9", "tea%20%26%20biscuits", "q%3D%22exact%22"];
const ARTICLES: &[&str] = &["hello-world", "on-naming-things", "größe-zählt", "日本語の本", "a-year-of-logs", "errata"];
const ASSETS: &[(&str, u64)] = &[
    ("/assets/site.css", 18_231),
    ("/assets/site.js", 96_402),
    ("/assets/logo.svg", 4_120),
    ("/favicon.ico", 1_406),
    ("/assets/fonts/serif.woff2", 61_788),
];
const PROBES: &[&str] = &[
    "/.env",
    "/.git/config",
    "/wp-login.php",
    "/wp-admin/setup-config.php",
    "/phpmyadmin/index.php",
    "/cgi-bin/luci/;stok=/locale",
    "/backup.sql.gz",
    "/actuator/health",
    "/index.php?s=/Index/\\\\think\\\\app/invokefunction",
    "/?name=\\\"><script>alert(1)</script>",
];

/// A page that a person opens.
pub(crate) fn page(random: &mut Random) -> Answer {
    let answer = match random.below(100) {
        0..22 => Answer::get("/", 200, random.between(5_200, 5_900)),
        22..48 => book(random),
        48..62 => Answer::get(format!("/blog/{}", random.pick(ARTICLES)), 200, random.between(6_000, 42_000)),
        62..74 => search(random),
        74..80 => Answer { method: "POST", ..Answer::get("/cart", 303, 0) },
        80..84 => Answer::get("/cart", 200, random.between(2_000, 9_000)),
        84..87 => Answer { method: "POST", ..Answer::get("/login", 302, 0) },
        87..89 => reset(random),
        89..92 => Answer::get("/about", 200, 3_310),
        92..95 => Answer::get("/blog", 301, 162),
        95..98 => Answer::get(format!("/book/{}", random.between(9_000, 9_999)), 404, 1_245),
        _ => Answer::get("/downloads/catalogue.pdf", 200, random.between(4_000_000, 9_000_000)),
    };
    unchanged_or_broken(answer, random)
}

/// What a browser fetches along with a page.
pub(crate) fn asset(random: &mut Random) -> Answer {
    let (path, size) = *random.pick(ASSETS);
    unchanged_or_broken(Answer::get(path, 200, size), random)
}

/// What a program asks for.
pub(crate) fn api(random: &mut Random) -> Answer {
    let answer = match random.below(10) {
        0..4 => {
            let target = format!("/api/v1/books?page={}&per_page=50", random.between(1, 40));
            Answer::get(target, 200, random.between(9_000, 14_000))
        }
        4..6 => {
            let (token, size) = (random.token(32), random.between(300, 2_400));
            Answer::get(format!("/api/v1/orders?access_token={token}"), 200, size)
        }
        6 => Answer::get("/api/v1/orders", 401, 58),
        7 => Answer { method: "POST", ..Answer::get("/api/v1/orders", 201, random.between(180, 400)) },
        8 => Answer { method: "DELETE", ..Answer::get(format!("/api/v1/orders/{}", random.below(5_000)), 204, 0) },
        _ => Answer { method: "PUT", ..Answer::get("/api/v1/stock", 422, 96) },
    };
    unchanged_or_broken(answer, random)
}

/// What a crawler asks for.
pub(crate) fn crawled(random: &mut Random) -> Answer {
    match random.below(10) {
        0 => Answer::get("/robots.txt", 200, 128),
        1 => Answer::get("/sitemap.xml", 200, 48_113),
        2..7 => unchanged_or_broken(book(random), random),
        _ => page(random),
    }
}

pub(crate) fn feed(random: &mut Random) -> Answer {
    if random.chance(7, 10) { Answer::get("/feed.xml", 304, 0) } else { Answer::get("/feed.xml", 200, 22_940) }
}

pub(crate) fn health() -> Answer {
    Answer { method: "HEAD", ..Answer::get("/healthz", 200, 0) }
}

/// What is asked for in search of a hole. Written as the server writes it, with quotes and backslashes escaped.
pub(crate) fn probe(random: &mut Random) -> Answer {
    Answer::get(*random.pick(PROBES), *random.weighted(&[(8, 404), (2, 403), (1, 400)]), 153)
}

/// Someone tries passwords.
pub(crate) fn guess() -> Answer {
    Answer { method: "POST", ..Answer::get("/login", 401, 1_012) }
}

fn book(random: &mut Random) -> Answer {
    // The lower of two numbers: the first books are asked for more often.
    let number = random.between(1, 400).min(random.between(1, 400));
    Answer::get(format!("/book/{number}"), 200, 7_000 + number * 37 % 9_000)
}

fn search(random: &mut Random) -> Answer {
    let words = *random.pick(SEARCHES);
    let target = match random.below(3) {
        0 => format!("/search?q={words}&page={}", random.between(2, 9)),
        _ => format!("/search?q={words}"),
    };
    Answer::get(target, 200, random.between(3_000, 16_000))
}

fn reset(random: &mut Random) -> Answer {
    let reader = random.below(900);
    Answer::get(format!("/reset?email=reader{reader}%40example.org&token={}", random.token(24)), 200, 1_870)
}

fn unchanged_or_broken(answer: Answer, random: &mut Random) -> Answer {
    match random.below(1_000) {
        0..90 if answer.status == 200 => Answer { status: 304, size: 0, ..answer },
        990..995 => Answer { status: 500, size: 2_133, ..answer },
        995..998 => Answer { status: 503, size: 391, ..answer },
        _ => answer,
    }
}
