//! How the C library is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let arguments: &[&str] = match system.as_str() {
        "linux" | "android" | "freebsd" | "netbsd" | "openbsd" => &[
            // What programs look for when they start; the linker would record the path it was given.
            "-Wl,-soname,libpolyplug_loaders.so",
            // polyplug's guest side defines the two symbols of a plugin, and rustc exports them from every cdylib that
            // polyplug is in. This library is no plugin. On other systems they stay, and do no harm: the native loader
            // asks a bundle's library for them, and finds that library's own before any other's.
            "-Wl,--exclude-libs,ALL",
            // A program that opens it by itself may close it while a thread of a runtime that it ended is still at work.
            "-Wl,-z,nodelete",
        ],
        "macos" => &["-Wl,-install_name,@rpath/libpolyplug_loaders.dylib"],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
