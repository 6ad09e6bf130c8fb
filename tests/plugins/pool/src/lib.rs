//! A plugin with a pool of threads in a static, as ordinary crates have: it ends when the plugin is unloaded.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::thread::JoinHandle;

use test_contracts::pool::Pool;

/// How many threads the pool has.
const THREADS: u64 = 4;

/// How much memory each thread holds.
const BYTES: usize = 1 << 20;

static QUEUE: Mutex<Queue> = Mutex::new(Queue { jobs: VecDeque::new(), running: 0, sum: 0, ends: false });
static CHANGED: Condvar = Condvar::new();
static WORKERS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

struct Queue {
    jobs: VecDeque<u64>,
    running: usize,
    sum: u64,
    ends: bool,
}

fn work() {
    let memory = vec![1_u8; BYTES];
    let mut queue = QUEUE.lock().unwrap();
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            queue.running += 1;
            drop(queue);
            let square = job * job * u64::from(memory[job as usize % BYTES]);
            queue = QUEUE.lock().unwrap();
            queue.running -= 1;
            queue.sum += square;
            CHANGED.notify_all();
        } else if queue.ends {
            return;
        } else {
            queue = CHANGED.wait(queue).unwrap();
        }
    }
}

#[derive(Default)]
struct Squares;

#[polyplug::plugin]
impl Pool for Squares {
    fn sum_of_squares(&self, upto: u64) -> u64 {
        let mut workers = WORKERS.lock().unwrap();
        while (workers.len() as u64) < THREADS {
            workers.push(std::thread::spawn(work));
        }
        drop(workers);
        let mut queue = QUEUE.lock().unwrap();
        queue.sum = 0;
        queue.jobs.extend(0..=upto);
        CHANGED.notify_all();
        let done = CHANGED.wait_while(queue, |queue| !queue.jobs.is_empty() || queue.running > 0).unwrap();
        done.sum
    }
}

#[polyplug::on_unload]
fn stop() {
    QUEUE.lock().unwrap().ends = true;
    CHANGED.notify_all();
    for worker in WORKERS.lock().unwrap().drain(..) {
        worker.join().unwrap();
    }
}
