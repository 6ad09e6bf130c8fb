//! A plugin with a tokio runtime and a rayon pool, which end when the plugin is unloaded. The page `docs/src/rust.md`
//! shows the code between the two marks.

// page: begin
use std::sync::{Arc, Weak};
use std::time::Duration;

use polyplug::PluginContext;
use rayon::prelude::*;
use test_contracts::pool::Pool;

struct Squares {
    tasks: tokio::runtime::Handle,
    workers: Weak<rayon::ThreadPool>,
}

impl Squares {
    fn new(context: &PluginContext) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
        let tasks = runtime.handle().clone();
        context.on_unload(move |_| drop(runtime))?; // waits for its threads

        let mut threads = Vec::new();
        let builder = rayon::ThreadPoolBuilder::new().num_threads(2).spawn_handler(|thread| {
            threads.push(std::thread::spawn(|| thread.run()));
            Ok(())
        });
        let pool = Arc::new(builder.build().map_err(std::io::Error::other)?);
        let workers = Arc::downgrade(&pool);
        context.try_on_unload(move |_| {
            drop(pool); // does not wait for its threads
            threads.into_iter().try_for_each(|thread| thread.join()).map_err(|_| "a thread of the pool has panicked")
        })?;
        Ok(Self { tasks, workers })
    }
}

#[polyplug::plugin(create = Squares::new, singleton)]
impl Pool for Squares {
    fn sum_of_squares(&self, upto: u64) -> u64 {
        let workers = self.workers.upgrade().expect("the pool ends after the last call");
        let numbers = self.tasks.block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let tasks = (0..=upto).map(|number| tokio::spawn(async move { number }));
            let mut numbers = Vec::new();
            for task in tasks.collect::<Vec<_>>() {
                numbers.push(task.await.expect("the task does not panic"));
            }
            numbers
        });
        workers.install(|| numbers.par_iter().map(|number| number * number).sum())
    }
}
// page: end
