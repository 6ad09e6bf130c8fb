//! Who asked, going by the user agent: a text that nobody checks, so this tells what a client claims to be.

use pipeline_contracts::AgentClass;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What gives a class away, as in the settings, but all in lower case and in the order in which it is looked for.
#[derive(Debug, Deserialize)]
#[serde(from = "Settings")]
pub(crate) struct Rules {
    begins: Vec<(String, Kind)>,
    contains: Vec<(String, Kind)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    begins: BTreeMap<String, Kind>,
    contains: BTreeMap<String, Kind>,
}

/// A class that a rule can give. Of several that fit the first one here decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    FeedReader,
    Bot,
    Mobile,
    Browser,
    Tool,
}

impl Rules {
    /// The class of a user agent.
    pub(crate) fn class(&self, agent: &str) -> AgentClass {
        // Cubot makes telephones.
        let agent = agent.to_ascii_lowercase().replace("cubot", "");
        let begins = self.begins.iter().find(|(mark, _)| agent.starts_with(mark));
        let rule = begins.or_else(|| self.contains.iter().find(|(mark, _)| agent.contains(mark)));
        rule.map_or(AgentClass::Unknown, |(_, kind)| (*kind).into())
    }

    /// What gives a class away.
    pub(crate) fn of(&self, class: AgentClass) -> Vec<String> {
        let rules = self.begins.iter().chain(&self.contains);
        rules.filter(|(_, kind)| AgentClass::from(*kind) == class).map(|(mark, _)| mark.clone()).collect()
    }
}

impl From<Settings> for Rules {
    fn from(settings: Settings) -> Self {
        let ordered = |rules: BTreeMap<String, Kind>| {
            let mut rules: Vec<_> = rules.into_iter().map(|(mark, kind)| (mark.to_ascii_lowercase(), kind)).collect();
            rules.sort_by_key(|(_, kind)| *kind);
            rules
        };
        Self { begins: ordered(settings.begins), contains: ordered(settings.contains) }
    }
}

impl From<Kind> for AgentClass {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::FeedReader => Self::FeedReader,
            Kind::Bot => Self::Bot,
            Kind::Mobile => Self::Mobile,
            Kind::Browser => Self::Browser,
            Kind::Tool => Self::Tool,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AgentClass::{Bot, Browser, FeedReader, Mobile, Tool};

    /// The rules of the manifest.
    fn rules() -> Rules {
        let manifest: toml::Table = include_str!("../manifest.toml").parse().unwrap();
        manifest["config"].clone().try_into().unwrap()
    }

    #[track_caller]
    fn all(class: AgentClass, agents: &[&str]) {
        let rules = rules();
        for agent in agents {
            assert_eq!(rules.class(agent), class, "{agent}");
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
    }
}
