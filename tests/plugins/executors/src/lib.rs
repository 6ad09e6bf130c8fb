//! A plugin with a tokio runtime and a rayon pool in statics: both end when the plugin is unloaded.

use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use rayon::prelude::*;
use test_contracts::pool::Pool;

static RUNTIME: Mutex<Option<tokio::runtime::Runtime>> = Mutex::new(None);
static WORKERS: Mutex<Option<Workers>> = Mutex::new(None);

/// A rayon pool, and its threads: the end of a pool does not wait for them.
struct Workers {
    pool: rayon::ThreadPool,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    fn start() -> Self {
        let mut threads = Vec::new();
        let builder = rayon::ThreadPoolBuilder::new().num_threads(2).spawn_handler(|thread| {
            threads.push(std::thread::spawn(|| thread.run()));
            Ok(())
        });
        let pool = builder.build().expect("a few threads can be started");
        Self { pool, threads }
    }
}

fn new_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_time().build().expect("a few threads can be started")
}

#[derive(Default)]
struct Squares;

#[polyplug::plugin]
impl Pool for Squares {
    fn sum_of_squares(&self, upto: u64) -> u64 {
        let numbers: Vec<u64> = {
            let mut runtime = RUNTIME.lock().unwrap();
            runtime.get_or_insert_with(new_runtime).block_on(async {
                let tasks: Vec<_> = (0..=upto)
                    .map(|number| {
                        tokio::spawn(async move {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                            number
                        })
                    })
                    .collect();
                let mut numbers = Vec::new();
                for task in tasks {
                    numbers.push(task.await.expect("tasks do not panic"));
                }
                numbers
            })
        };
        let mut workers = WORKERS.lock().unwrap();
        let workers = workers.get_or_insert_with(Workers::start);
        workers.pool.install(|| numbers.par_iter().map(|number| number * number).sum())
    }
}

#[polyplug::on_unload]
fn stop() {
    drop(RUNTIME.lock().unwrap().take()); // waits for its threads
    if let Some(Workers { pool, threads }) = WORKERS.lock().unwrap().take() {
        drop(pool);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
