//! Who asks for what, and when: a dozen visits at a time, whose requests mix as they do on a real server.

use crate::clock::Clock;
use crate::random::Random;
use crate::site::{self, Answer};
use crate::visitors::{self, Habit, Visitor};

const VISITS_AT_A_TIME: usize = 12;

const OTHER_SITES: &[&str] = &[
    "https://www.google.com/",
    "https://duckduckgo.com/?q=books+%22second+hand%22",
    "https://news.example.com/item?id=3961",
    "https://forum.example.org/t/größe/17?u=\\\"me\\\"",
];

pub(crate) struct Traffic {
    visitors: Vec<(u64, Vec<Visitor>)>,
    visits: Vec<Visit>,
    clock: Clock,
}

struct Visit {
    visitor: Visitor,
    requests_left: u64,
    /// Assets of the last page that are still to be fetched.
    assets_left: u64,
    referer: String,
}

impl Traffic {
    pub(crate) fn new(random: &mut Random) -> Self {
        let visitors = visitors::all(random);
        let visits = (0..VISITS_AT_A_TIME).map(|_| Visit::begin(&visitors, random)).collect();
        Self { visitors, visits, clock: Clock::START }
    }

    pub(crate) fn line(&mut self, random: &mut Random) -> String {
        let number = self.next_visit(random);
        let visit = &mut self.visits[number];
        self.clock.advance(visit.pause(random));

        let referer = visit.referer.clone();
        let Answer { method, target, status, size } = visit.request(random);
        let Visitor { address, user, agent, habit } = &visit.visitor;
        let protocol = match habit {
            Habit::Reader | Habit::Crawler => "HTTP/2.0",
            Habit::Prober => "HTTP/1.0",
            _ => "HTTP/1.1",
        };
        // Apache writes `-` for an empty body, nginx `0`.
        let size = if size == 0 { "-".to_owned() } else { size.to_string() };
        let line = format!(
            r#"{address} - {user} [{}] "{method} {target} {protocol}" {status} {size} "{referer}" "{agent}""#,
            self.clock
        );
        if visit.requests_left == 0 {
            *visit = Visit::begin(&self.visitors, random);
        }
        line
    }

    fn next_visit(&self, random: &mut Random) -> usize {
        let hasty = self.visits.iter().position(Visit::is_hasty);
        match hasty {
            Some(hasty) if random.chance(3, 4) => hasty,
            _ => random.below(VISITS_AT_A_TIME as u64) as usize,
        }
    }
}

impl Visit {
    fn begin(visitors: &[(u64, Vec<Visitor>)], random: &mut Random) -> Self {
        let kind = random.weighted(visitors);
        let visitor = random.popular(kind).clone();
        let requests_left = match visitor.habit {
            Habit::Reader => random.between(2, 25),
            Habit::Program => random.between(1, 12),
            Habit::Crawler => random.between(3, 40),
            Habit::FeedReader | Habit::Monitor => 1,
            Habit::Prober => random.between(20, 60),
            Habit::Guesser => random.between(40, 120),
        };
        let referer = match visitor.habit {
            Habit::Reader if random.chance(1, 2) => *random.pick(OTHER_SITES),
            _ => "-",
        };
        Self { visitor, requests_left, assets_left: 0, referer: referer.into() }
    }

    fn is_hasty(&self) -> bool {
        matches!(self.visitor.habit, Habit::Prober | Habit::Guesser)
    }

    fn pause(&self, random: &mut Random) -> u64 {
        if self.is_hasty() { random.below(2) } else { random.below(14) }
    }

    fn request(&mut self, random: &mut Random) -> Answer {
        self.requests_left -= 1;
        match self.visitor.habit {
            Habit::Reader if self.assets_left > 0 => {
                self.assets_left -= 1;
                site::asset(random)
            }
            Habit::Reader => {
                let page = site::page(random);
                self.assets_left = random.below(4);
                self.referer = format!("{}{}", site::HOST, page.target);
                page
            }
            Habit::Program => site::api(random),
            Habit::Crawler => site::crawled(random),
            Habit::FeedReader => site::feed(random),
            Habit::Monitor => site::health(),
            Habit::Prober => site::probe(random),
            Habit::Guesser => site::guess(),
        }
    }
}
