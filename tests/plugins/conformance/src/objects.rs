//! A plugin that calls objects, and gives some of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use polyplug::{CallError, Callback, PluginContext};
use test_contracts::callbacks::Progress;
use test_contracts::conformance::{Listener, Objects, Radio};

struct Holds {
    context: PluginContext,
    kept: Mutex<Vec<Callback<dyn Progress>>>,
    heard: Arc<AtomicU32>,
}

impl Holds {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self { context: context.clone(), kept: Mutex::default(), heard: Arc::default() })
    }
}

/// What this plugin gives to others: says yes to one label, or so many times.
struct Own {
    label: Option<&'static str>,
    times: AtomicU32,
}

impl Progress for Own {
    fn step(&self, _: u32, label: &str) -> bool {
        match self.label {
            Some(wanted) => label == wanted,
            None => self.times.fetch_sub(1, Ordering::Relaxed) > 1,
        }
    }

    fn breaks(&self) {
        panic!("it broke");
    }

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

struct Hears(Arc<AtomicU32>);

impl Listener for Hears {
    fn hear(&self, words: &str) -> Result<u32, String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        assert!(words != "!", "too loud");
        if words.is_empty() { Err("silence".to_owned()) } else { Ok(words.len() as u32) }
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn text(error: CallError) -> String {
    error.to_string()
}

#[polyplug::plugin(create = Holds::new, singleton)]
impl Objects for Holds {
    fn work(&self, steps: u32, progress: &dyn Progress) -> u32 {
        (0..steps).take_while(|step| progress.step(*step, "working")).count() as u32
    }

    fn notes(&self, text: &str, first: &dyn Progress, second: &dyn Progress) -> Vec<String> {
        let told = |progress: &dyn Progress| match progress.note(text.to_owned()) {
            Ok(number) => number.to_string(),
            Err(error) => format!("no: {error}"),
        };
        vec![told(first), told(second)]
    }

    fn provoke(&self, progress: &dyn Progress) {
        progress.breaks();
    }

    fn catch(&self, progress: &dyn Progress) -> String {
        let payload = catch_unwind(AssertUnwindSafe(|| progress.breaks())).expect_err("it breaks");
        payload.downcast::<CallError>().expect("what a call ends in").to_string()
    }

    fn keep(&self, progress: Callback<dyn Progress>) -> u32 {
        let mut kept = self.kept.lock().expect("nothing panics here");
        kept.push(progress);
        kept.len() as u32
    }

    fn tell_all(&self, label: &str) -> Vec<Result<bool, String>> {
        let kept = self.kept.lock().expect("nothing panics here").clone();
        kept.iter().map(|progress| progress.step(0, label).map_err(text)).collect()
    }

    fn forget(&self) {
        self.kept.lock().expect("nothing panics here").clear();
    }

    fn plant(&self) -> Result<u32, String> {
        let own = Own { label: Some("planted"), times: AtomicU32::new(0) };
        let object = Callback::<dyn Progress>::new(&self.context, own).map_err(text)?;
        self.context.peer::<dyn Objects>().and_then(|peer| peer.keep(object)).map_err(text)
    }

    fn lend(&self, steps: u32) -> Result<u32, String> {
        let own = Own { label: None, times: AtomicU32::new(3) };
        self.context.peer::<dyn Objects>().and_then(|peer| peer.work(steps, &own)).map_err(text)
    }

    fn pass_on(&self, steps: u32, progress: &dyn Progress) -> Result<u32, String> {
        self.context.peer::<dyn Objects>().and_then(|peer| peer.work(steps, progress)).map_err(text)
    }

    fn listen(&self, words: &str) -> Result<u32, String> {
        let radio = self.context.host::<dyn Radio>().map_err(text)?;
        radio.play(words, &Hears(Arc::clone(&self.heard))).map_err(text)?
    }

    fn subscribe(&self) {
        let radio = self.context.host::<dyn Radio>().expect("a radio");
        let listener = Callback::<dyn Listener>::new(&self.context, Hears(Arc::clone(&self.heard)));
        radio.tune(listener.expect("a runtime that lives")).expect("the radio plays");
    }

    fn heard(&self) -> u32 {
        self.heard.load(Ordering::Relaxed)
    }
}
