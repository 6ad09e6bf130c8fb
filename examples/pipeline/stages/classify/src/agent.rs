//! Who asked, going by the user agent: a text that nobody checks, so this tells what a client claims to be.

use AgentClass::{Bot, Browser, FeedReader, Mobile, Tool};
use pipeline_contracts::AgentClass;

/// What gives a class away, in lower case. The first row that fits decides: crawlers and feed readers call themselves
/// browsers, and mobile browsers name the desktop ones.
const MARKS: &[(AgentClass, &[&str])] = &[
    (FeedReader, &["feed", "rss", "miniflux", "netnewswire", "newsblur", "inoreader", "akregator"]),
    (Bot, &["bot", "crawl", "spider", "slurp", "facebookexternalhit", "preview", "monitor", "archiver", "+http"]),
    (Mobile, &["mobile", "android", "iphone", "ipad", "opera mini"]),
    (Browser, &["firefox/", "chrome/", "safari/", "edg/", "opera/", "trident/", "msie "]),
];

/// Command-line tools and libraries put their own name first.
const TOOLS: &[&str] = &[
    "aiohttp/",
    "apache-httpclient/",
    "axios/",
    "curl/",
    "dart/",
    "git/",
    "go-http-client/",
    "guzzlehttp/",
    "httpie/",
    "java/",
    "libwww-perl/",
    "node-fetch/",
    "okhttp/",
    "postmanruntime/",
    "python-httpx/",
    "python-requests/",
    "python-urllib/",
    "reqwest/",
    "ruby",
    "wget/",
];

/// The class of a user agent.
#[must_use]
pub fn classify(agent: Option<&str>) -> AgentClass {
    // Cubot makes telephones.
    let agent = agent.unwrap_or_default().to_ascii_lowercase().replace("cubot", "");
    if TOOLS.iter().any(|name| agent.starts_with(name)) {
        return Tool;
    }
    MARKS
        .iter()
        .find(|(_, marks)| marks.iter().any(|mark| agent.contains(mark)))
        .map_or(AgentClass::Unknown, |(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(class: AgentClass, agents: &[&str]) {
        for agent in agents {
            assert_eq!(classify(Some(agent)), class, "{agent}");
        }
    }

    #[test]
    fn browsers() {
        all(
            Browser,
            &[
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
                "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
                "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
            ],
        );
    }

    #[test]
    fn mobile_browsers_name_desktop_ones() {
        all(
            Mobile,
            &[
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
                "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
            ],
        );
    }

    #[test]
    fn bots_call_themselves_browsers() {
        all(
            Bot,
            &[
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
                "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
                "Mozilla/5.0 (compatible; SomethingNew/0.1; +https://example.org/about)",
            ],
        );
    }

    #[test]
    fn tools_put_their_name_first() {
        all(
            Tool,
            &["curl/8.5.0", "Wget/1.21.4", "python-requests/2.32.3", "Go-http-client/2.0", "okhttp/4.12.0", "Ruby"],
        );
        all(AgentClass::Unknown, &["not curl/8.5.0"]);
    }

    #[test]
    fn feed_readers() {
        all(
            FeedReader,
            &[
                "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher-Google)",
                "FreshRSS/1.24.0 (Linux; https://freshrss.org)",
                "Mozilla/5.0 (compatible; Miniflux/2.1.3; +https://miniflux.app)",
            ],
        );
    }

    #[test]
    fn nothing_known() {
        all(AgentClass::Unknown, &["", "Mozilla/5.0", "?"]);
        assert_eq!(classify(None), AgentClass::Unknown);
    }
}
