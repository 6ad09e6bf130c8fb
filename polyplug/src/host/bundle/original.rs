//! The directory of a bundle that is about to be loaded. Its files are used when none of them has changed for a while: see
//! [`SETTLED`].

use std::path::Path;
use std::time::SystemTime;

use super::copy_tree::CopyError;
use super::fingerprint::Fingerprint;
use super::limits::BundleLimits;
use super::settling::{SETTLED, Unsettled, unsettled};
use super::shared_dirs::SharedDirs;
use super::tree::{Artifact, Kind, Target, Tree};
use crate::host::abi::log::report;

/// The number of looks at files that keep changing, before the load is given up.
pub(super) const LOOKS: usize = 10;

/// The directory of a bundle that is about to be loaded.
pub(super) struct Original<'a> {
    pub(super) root: &'a Path,
    pub(super) artifact: &'a Path,
    pub(super) shared_dirs: &'a SharedDirs,
    pub(super) limits: BundleLimits,
}

/// Looks at the files in `root` until they have settled. Takes one of `looks` for each time that they had to be waited for.
pub(super) fn settle<T>(
    root: &Path,
    looks: &mut usize,
    look: impl Fn() -> (T, Fingerprint),
) -> Result<(T, Fingerprint), CopyError> {
    let mut before = None;
    loop {
        let now = SystemTime::now();
        let (found, fingerprint) = look();
        let wait = match fingerprint.latest().map(|(_, latest)| unsettled(latest, now)) {
            None | Some(Unsettled::No) => return Ok((found, fingerprint)),
            Some(Unsettled::For(wait)) => wait,
            // The times say nothing, but the files did not change since the last look.
            Some(Unsettled::Unknown) if before.as_ref() == Some(&fingerprint) => return Ok((found, fingerprint)),
            Some(Unsettled::Unknown) => SETTLED,
        };
        if *looks == 0 {
            let latest = fingerprint.latest().map_or(Path::new(""), |(path, _)| path);
            return Err(CopyError::Changed(root.join(latest)));
        }
        *looks -= 1;
        before = Some(fingerprint);
        std::thread::sleep(wait);
    }
}

impl Original<'_> {
    /// Takes a look at the files.
    pub(super) fn look(&self) -> (Tree, Fingerprint) {
        let tree = Tree::take(self.root, self.artifact, self.shared_dirs, self.limits);
        let fingerprint = Fingerprint::of(&tree, self.artifact, |_| ());
        (tree, fingerprint)
    }

    /// Looks at the files until they have settled. Takes one of `looks` for each time that they had to be waited for.
    pub(super) fn settled(&self, looks: &mut usize) -> Result<(Tree, Fingerprint), CopyError> {
        settle(self.root, looks, || self.look())
    }

    /// Refuses a bundle that cannot be copied. Warns of what is left out because nothing is there.
    pub(super) fn check(&self, tree: &Tree, name: &str) -> Result<(), CopyError> {
        if let Some(fault) = tree.faults.first() {
            return Err(CopyError::Fault(fault.text(self.root)));
        }
        if let Artifact::Missing(path) = &tree.artifact {
            // It was there when the manifest was read.
            return Err(CopyError::Changed(self.root.join(path)));
        }
        for (folder, nodes) in &tree.folders {
            for node in nodes.iter().filter(|node| matches!(node.kind, Kind::Link { target: Target::Missing, .. })) {
                let link = self.root.join(folder).join(&node.name);
                report!(
                    WARN,
                    target: "polyplug::files",
                    bundle = name,
                    "{} is a link that leads nowhere, and is left out: remove it, or put a file in its place",
                    link.display()
                );
            }
        }
        Ok(())
    }
}
