//! The assembly that projects of plugins refer to.

use crate::bridge;

/// Returns the contents of `Polyplug.dll`, the assembly that projects of plugins refer to.
///
/// The assembly has the types of the namespace `Polyplug`, such as `PluginAttribute` and `PluginContext`. It is compiled for
/// .NET Core 3.1, so that projects for that version and for later ones can refer to it. A bundle needs no copy of it: plugins
/// get the loader's own, which is this one.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let project = folder.path();
/// std::fs::create_dir_all(project.join("lib"))?;
/// std::fs::write(project.join("lib/Polyplug.dll"), polyplug_dotnet::assembly())?;
/// std::fs::write(project.join("lib/Polyplug.xml"), polyplug_dotnet::assembly_docs())?;
/// # Ok(())
/// # }
/// ```
///
/// The project then has:
///
/// ```xml
/// <Reference Include="Polyplug">
///   <HintPath>lib/Polyplug.dll</HintPath>
///   <Private>false</Private>
/// </Reference>
/// ```
#[must_use]
pub fn assembly() -> &'static [u8] {
    bridge::ASSEMBLY
}

/// Returns the contents of `Polyplug.xml`, the documentation of the [`assembly()`], which editors show where the file lies beside
/// the assembly.
#[must_use]
pub fn assembly_docs() -> &'static [u8] {
    bridge::DOCUMENTATION
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public types that plugins are written with.
    const TYPES: [&str; 9] = [
        "PluginAttribute",
        "PluginContext",
        "ThrowsAttribute",
        "DeclaredException`1",
        "CallException",
        "IMigrate",
        "Option`1",
        "Result`2",
        "Log",
    ];

    #[test]
    fn the_assembly_has_the_types_for_plugins_and_their_documentation() {
        let (assembly, docs) = (assembly(), std::str::from_utf8(assembly_docs()).unwrap());
        assert!(assembly.starts_with(b"MZ"), "a file of the format PE");
        for name in TYPES {
            let metadata = [name.as_bytes(), b"\0"].concat();
            assert!(assembly.windows(metadata.len()).any(|bytes| bytes == metadata), "{name} is in the assembly");
            assert!(docs.contains(&format!("<member name=\"T:Polyplug.{name}\">")), "{name} is in the documentation");
        }
        assert!(docs.contains("<name>Polyplug</name>"), "the assembly that the documentation is for");
    }
}
