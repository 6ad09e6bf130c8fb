//! Which Python this is built for, as conditions for the compiler and for the errors that name it.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    let config = pyo3_build_config::get();
    let version = config.version();
    println!("cargo::rustc-env=POLYPLUG_PYTHON_VERSION={}.{}", version.major, version.minor);
    println!("cargo::rustc-env=POLYPLUG_PYTHON_LIBRARY={}", config.lib_name().unwrap_or("none"));
    println!("cargo::rustc-env=POLYPLUG_PYTHON_FOLDER={}", config.lib_dir().unwrap_or("unknown"));
}
