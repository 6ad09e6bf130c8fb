//! Who comes to the site.

use crate::random::Random;

/// How a visitor behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Opens pages, and what belongs to them.
    Reader,
    /// Calls the API.
    Program,
    Crawler,
    FeedReader,
    /// Asks whether the site is up.
    Monitor,
    /// Looks for holes, fast.
    Prober,
    /// Tries passwords, fast.
    Guesser,
}

#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) address: String,
    pub(crate) user: &'static str,
    /// As the server writes it, with quotes escaped.
    pub(crate) agent: &'static str,
    pub(crate) habit: Habit,
}

/// How often they come, how many they are, and what they call themselves.
const KINDS: &[(u64, usize, Habit, &[&str])] = &[
    (90, 240, Habit::Reader, BROWSERS),
    (12, 14, Habit::Program, TOOLS),
    (12, 12, Habit::Crawler, CRAWLERS),
    (60, 10, Habit::FeedReader, FEED_READERS),
    (30, 1, Habit::Monitor, &["Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"]),
    (1, 2, Habit::Prober, &["Mozilla/5.0 zgrab/0.x", "-"]),
    (1, 1, Habit::Guesser, &["python-requests/2.31.0"]),
];

const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36 Edg/122.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.3 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.3 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 13; Mobile; rv:123.0) Gecko/123.0 Firefox/123.0",
    "Mozilla/5.0 (X11; Linux x86_64) \\\"Quoted Browser\\\" Firefox/115.0",
];
const TOOLS: &[&str] = &[
    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.31.0",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "PostmanRuntime/7.36.3",
    "stock-sync 3",
];
const CRAWLERS: &[&str] = &[
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.6261.94 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
];
const FEED_READERS: &[&str] = &[
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers; like FeedFetcher-Google)",
    "FreshRSS/1.23.1 (Linux; https://freshrss.org)",
    "Mozilla/5.0 (compatible; Miniflux/2.1.0; +https://miniflux.app)",
    "NetNewsWire (RSS Reader; https://netnewswire.com/)",
];

/// Everyone who will ever come, by kind, with how often that kind comes.
pub(crate) fn all(random: &mut Random) -> Vec<(u64, Vec<Visitor>)> {
    KINDS
        .iter()
        .map(|&(weight, count, habit, agents)| (weight, (0..count).map(|_| visitor(habit, agents, random)).collect()))
        .collect()
}

fn visitor(habit: Habit, agents: &[&'static str], random: &mut Random) -> Visitor {
    let address = address(random);
    let user = if habit == Habit::Program && random.chance(1, 3) { "stock" } else { "-" };
    let &agent = random.popular(agents);
    Visitor { address, user, agent, habit }
}

/// One from the ranges that are set aside for documentation, so that nobody's own address is in the log.
fn address(random: &mut Random) -> String {
    match random.below(8) {
        0..2 => format!("2001:db8:{:x}:{:x}::{:x}", random.below(0x10000), random.below(16), random.between(1, 0xffff)),
        2..4 => format!("192.0.2.{}", random.between(1, 254)),
        4..6 => format!("198.51.100.{}", random.between(1, 254)),
        _ => format!("203.0.113.{}", random.between(1, 254)),
    }
}
