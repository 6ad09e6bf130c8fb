//! A lock on a folder of the target directory, so that two commands do not set it up at once.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};

/// A lock on a folder, which only one process has at a time.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Makes the folder `place`, unless it is there, and waits for the lock on it.
    pub(crate) fn take(place: &Path) -> Result<Self> {
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
        let path = place.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self { _file: file })
    }
}
