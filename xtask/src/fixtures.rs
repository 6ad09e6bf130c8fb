//! `cargo xtask fixtures`: the plugins, also those in C#, and the C library, which tests and benchmarks load and cargo
//! does not build for them.

use anyhow::Result;

use crate::workspace::{self, PluginPackage, Profile};
use crate::{dotnet, process, python};

/// The package of polyplug's C library.
const C_LIBRARY: &str = "polyplug-loaders";

pub(crate) fn run(release: bool, list: bool) -> Result<()> {
    if !list {
        return build(Profile::new(release));
    }
    for packages in plugin_builds()? {
        let names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
        println!("{}", names.join(" "));
    }
    println!("{C_LIBRARY}");
    Ok(())
}

/// Builds every fixture.
pub(crate) fn build(profile: Profile) -> Result<()> {
    python::required()?;
    plugins(profile)?;
    // In a build of its own: otherwise the plugins would get the features of a host.
    process::build_named(&[C_LIBRARY], profile)?;
    dotnet::build_guests()
}

/// Builds the plugins alone.
pub(crate) fn plugins(profile: Profile) -> Result<()> {
    plugin_builds()?.iter().try_for_each(|packages| process::build(packages, profile))
}

/// The packages that are built by themselves: with features of polyplug that the others must do without.
const BUILT_ALONE: [&str; 1] = ["plugin-logs"];

/// Returns the packages of the plugins, those together that are built together.
fn plugin_builds() -> Result<Vec<Vec<PluginPackage>>> {
    let (alone, together): (Vec<_>, Vec<_>) =
        workspace::fixtures()?.into_iter().partition(|package| BUILT_ALONE.contains(&package.name.as_str()));
    let mut builds: Vec<_> = alone.into_iter().map(|package| vec![package]).collect();
    builds.push(together);
    builds.retain(|packages| !packages.is_empty());
    Ok(builds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plugin_is_built_once_and_some_alone() {
        let builds = plugin_builds().unwrap();
        for name in BUILT_ALONE {
            let of_it = builds.iter().find(|build| build.iter().any(|package| package.name == name));
            assert_eq!(of_it.map(Vec::len), Some(1), "{name}");
        }
        let mut built: Vec<_> = builds.iter().flatten().map(|package| &package.name).collect();
        let fixtures = workspace::fixtures().unwrap();
        let mut all: Vec<_> = fixtures.iter().map(|package| &package.name).collect();
        built.sort();
        all.sort();
        assert_eq!(built, all);
    }
}
