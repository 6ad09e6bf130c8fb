//! Alternate signal stacks.

use std::mem::MaybeUninit;
use std::ptr;
use std::thread;

use super::super::hostfxr::Function;
use super::super::prepare_thread;
use super::child::with_each;
use super::dotnet::{at, call, probe, start};

/// Returns the alternate stack of this thread.
fn current() -> libc::stack_t {
    let mut stack = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: sigaltstack with no new stack only writes the current one.
    assert_eq!(unsafe { libc::sigaltstack(ptr::null(), &mut stack) }, 0);
    stack
}

fn set(stack: &libc::stack_t) {
    // SAFETY: the tests give a thread no stack, or memory that lives as long as the process.
    assert_eq!(unsafe { libc::sigaltstack(stack, ptr::null_mut()) }, 0);
}

fn on_a_thread<R: Send + 'static>(code: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(code).join().expect("the thread ends")
}

/// Calls a function of the bridge on a thread of the C library, which has no alternate stack.
fn on_a_c_thread(function: Function) -> i32 {
    extern "C" fn run(function: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: the pointer is the function that the thread was started with.
        let function = unsafe { std::mem::transmute::<*mut libc::c_void, Function>(function) };
        ptr::without_provenance_mut(call(function).cast_unsigned() as usize)
    }
    let mut thread = MaybeUninit::uninit();
    let mut result = ptr::null_mut();
    // SAFETY: the function has the type that is asked for, and the thread is joined.
    unsafe {
        assert_eq!(libc::pthread_create(thread.as_mut_ptr(), ptr::null(), run, function as *mut libc::c_void), 0);
        assert_eq!(libc::pthread_join(thread.assume_init(), &mut result), 0);
    }
    i32::try_from(result.addr()).expect("the function's result")
}

#[test]
fn a_small_stack_is_replaced() {
    on_a_thread(|| {
        let small: &'static mut [u8] = Box::leak(Box::new([0; 8 * 1024 + 1]));
        set(&libc::stack_t { ss_sp: small.as_mut_ptr().cast(), ss_flags: 0, ss_size: 8 * 1024 });
        prepare_thread();
        let large = current();
        assert!(large.ss_size >= 16 * 1024 && large.ss_flags & libc::SS_DISABLE == 0, "{}", large.ss_size);
        prepare_thread();
        assert_eq!(current().ss_sp, large.ss_sp, "once a thread");
    });
}

#[test]
fn other_stacks_stay() {
    on_a_thread(|| {
        let large: &'static mut [u8] = Box::leak(vec![0; 64 * 1024].into_boxed_slice());
        let own = large.as_mut_ptr();
        set(&libc::stack_t { ss_sp: own.cast(), ss_flags: 0, ss_size: 64 * 1024 });
        prepare_thread();
        assert_eq!(current().ss_sp, own.cast());
    });
    on_a_thread(|| {
        set(&libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 64 * 1024 });
        prepare_thread();
        assert_ne!(current().ss_flags & libc::SS_DISABLE, 0);
    });
}

/// On .NET 9, the process would end without [`prepare_thread`].
#[test]
fn null_references_are_caught_on_all_threads() {
    let Some(root) = with_each("stack", "null_references_are_caught_on_all_threads") else { return };
    let probe = probe(start(&at(&root)));
    // The main thread, a thread of the standard library and one of the C library.
    assert_eq!(call(probe), 42);
    assert_eq!(on_a_thread(move || [call(probe), call(probe)]), [42, 42]);
    assert_eq!(on_a_c_thread(probe), 42);
}

/// Where the alternate stack is only disabled, the CLR makes one that the end of a Rust thread keeps it from freeing.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_end_leave_no_memory_mapped() {
    let Some(root) = with_each("stack", "threads_that_end_leave_no_memory_mapped") else { return };
    let probe = probe(start(&at(&root)));
    let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let some_threads = || {
        (0..200).for_each(|_| assert_eq!([on_a_thread(move || call(probe)), on_a_c_thread(probe)], [42, 42]));
    };
    some_threads();
    let before = mappings();
    some_threads();
    some_threads();
    let more = mappings().saturating_sub(before);
    assert!(more < 100, "{more} mappings more after 800 threads");
}
