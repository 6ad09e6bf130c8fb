//! A plugin that calls back.

use std::sync::Mutex;

use polyplug::{CallError, Callback, PluginContext};
use test_contracts::callbacks::{Progress, Worker};

struct Busy {
    context: PluginContext,
    kept: Mutex<Vec<Callback<dyn Progress>>>,
}

impl Busy {
    fn new(context: &PluginContext) -> Result<Self, CallError> {
        Ok(Self { context: context.clone(), kept: Mutex::default() })
    }
}

/// What this plugin plants elsewhere.
struct Planted;

impl Progress for Planted {
    fn step(&self, done: u32, label: &str) -> bool {
        label == "planted" && done == 0
    }

    fn breaks(&self) {
        panic!("planted")
    }

    fn note(&self, text: String) -> Result<u32, String> {
        Err(text)
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn text(error: CallError) -> String {
    error.to_string()
}

#[polyplug::plugin(create = Busy::new, singleton)]
impl Worker for Busy {
    fn work(&self, steps: u32, progress: &dyn Progress) -> u32 {
        (0..steps).take_while(|step| progress.step(*step, "working")).count() as u32
    }

    fn both(&self, first: &dyn Progress, text: &str, second: &dyn Progress) -> String {
        let (first, second) = (first.note(format!("first {text}")), second.note(format!("second {text}")));
        format!("{first:?} {second:?}")
    }

    fn on_threads(&self, threads: u32, steps: u32, progress: &dyn Progress) -> u32 {
        std::thread::scope(|scope| {
            let work = || (0..steps).filter(|step| progress.step(*step, "thread")).count() as u32;
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            all.into_iter().map(|thread| thread.join().expect("nothing panics here")).sum()
        })
    }

    fn provoke(&self, progress: &dyn Progress) -> String {
        progress.breaks();
        "not reached".to_owned()
    }

    fn keep(&self, progress: Callback<dyn Progress>) -> u32 {
        let mut kept = self.kept.lock().expect("nothing panics here");
        kept.push(progress);
        kept.len() as u32
    }

    fn keep_copy(&self, progress: &Callback<dyn Progress>) -> u32 {
        self.keep(progress.clone())
    }

    fn tell_all(&self, label: &str) -> Vec<Result<bool, String>> {
        let kept = self.kept.lock().expect("nothing panics here").clone();
        kept.iter().map(|progress| progress.step(0, label).map_err(text)).collect()
    }

    fn forget_all(&self) {
        self.kept.lock().expect("nothing panics here").clear();
    }

    fn plant(&self) -> Result<u32, String> {
        let object = Callback::<dyn Progress>::new(&self.context, Planted).map_err(text)?;
        self.context.peer::<dyn Worker>().and_then(|peer| peer.keep(object)).map_err(text)
    }

    fn pass_on(&self, steps: u32, progress: &dyn Progress) -> Result<u32, String> {
        self.context.peer::<dyn Worker>().and_then(|peer| peer.work(steps, progress)).map_err(text)
    }
}
