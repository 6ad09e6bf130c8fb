//! The files that the CLR is given: the bridge, and the framework that is wanted.

use std::fs;
use std::io;
use std::path::PathBuf;

use tempfile::TempDir;

use super::installed::FRAMEWORK;

/// A folder that only this user can read. It is removed when it is dropped.
pub(super) struct Files {
    folder: TempDir,
}

impl Files {
    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// The system has no place for it.
    pub(super) fn new() -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("polyplug-dotnet-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Ok(Self { folder: builder.tempdir()? })
    }

    /// Writes the assembly of the bridge.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn bridge(&self, bridge: &[u8]) -> io::Result<PathBuf> {
        self.write("Polyplug.dll", bridge)
    }

    /// Writes a `runtimeconfig.json` for the newest framework from .NET Core 3.1 on.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn runtime_config(&self) -> io::Result<PathBuf> {
        let config = serde_json::json!({
            "runtimeOptions": {
                "framework": { "name": FRAMEWORK, "version": "3.1.0" },
                "rollForward": "LatestMajor",
            },
        });
        self.write("polyplug.runtimeconfig.json", config.to_string().as_bytes())
    }

    /// Returns the folder.
    #[cfg(test)]
    pub(super) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, content)?;
        Ok(path)
    }
}
