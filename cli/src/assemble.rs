//! The folder of a bundle that a host may be watching.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use polyplug::loader::ManifestData;
use tempfile::NamedTempFile;

use crate::build::{Artifacts, Contents};
use crate::bundle::files;

/// Returns whether a path of a project is what a build makes.
pub(crate) fn is_output(path: &Path) -> bool {
    let first = path.iter().next().and_then(|first| first.to_str()).unwrap_or_default();
    matches!(first, "target" | "bundles" | "build" | "node_modules" | "obj" | "bin") || first.starts_with('.')
}

/// Makes the folder of a bundle in `out`, or brings the one that is there up to date. A file that did not change is not
/// touched, and any other is replaced at once: a host that watches the folder sees complete files alone. Returns the folder.
pub(crate) fn write(artifacts: &Artifacts, out: &Path) -> Result<PathBuf> {
    let folder = out.join(&artifacts.name);
    if folder.exists() && fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        match ManifestData::read(&folder) {
            Ok(manifest) if manifest.name == artifacts.name => {}
            Ok(manifest) => bail!(
                "{}: the bundle `{}` is there: remove it, or give another folder by `--out`",
                folder.display(),
                manifest.name
            ),
            Err(error) => bail!(
                "{}: something else than a bundle is there: remove it, or give another folder by `--out` ({error})",
                folder.display()
            ),
        }
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // The manifest comes last: a host loads a new folder as soon as it has one.
    let (manifest, others): (Vec<_>, Vec<_>) =
        artifacts.files.iter().partition(|(path, _)| path == Path::new("manifest.toml"));
    for (path, contents) in others.into_iter().chain(manifest) {
        let bytes = match contents {
            Contents::Text(text) => text.clone().into_bytes(),
            Contents::Of(file) => fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
        };
        replace(&folder.join(path), &bytes)?;
    }
    for (path, _) in files(&folder)? {
        if !artifacts.files.iter().any(|(kept, _)| *kept == path) {
            let path = folder.join(path);
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(folder)
}

fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".polyplug-");
    // A bundle is for others to read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut temporary: NamedTempFile =
        builder.tempfile_in(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    temporary.write_all(bytes).with_context(|| format!("cannot write {}", file.display()))?;
    temporary.persist(file).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifacts(files: &[(&str, &str)]) -> Artifacts {
        let mut all = vec![(
            PathBuf::from("manifest.toml"),
            Contents::Text("name = \"a\"\nversion = \"1.0.0\"\nloader = \"lua\"\nfile = \"main.lua\"\n".to_owned()),
        )];
        all.extend(files.iter().map(|(path, text)| (PathBuf::from(path), Contents::Text((*text).to_owned()))));
        Artifacts { name: "a".to_owned(), files: all }
    }

    #[test]
    fn a_bundle_is_brought_up_to_date() {
        let out = tempfile::tempdir().unwrap();
        let folder = write(&artifacts(&[("main.lua", "one"), ("lib/old.lua", "")]), out.path()).unwrap();
        let before = fs::metadata(folder.join("manifest.toml")).unwrap().modified().unwrap();
        write(&artifacts(&[("main.lua", "two")]), out.path()).unwrap();
        assert_eq!(fs::read_to_string(folder.join("main.lua")).unwrap(), "two");
        let names: Vec<_> = files(&folder).unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, [Path::new("main.lua"), Path::new("manifest.toml")]);
        assert_eq!(fs::metadata(folder.join("manifest.toml")).unwrap().modified().unwrap(), before);
    }

    #[test]
    fn what_is_no_bundle_is_not_touched() {
        let out = tempfile::tempdir().unwrap();
        fs::create_dir(out.path().join("a")).unwrap();
        fs::write(out.path().join("a/precious"), "x").unwrap();
        let error = write(&artifacts(&[]), out.path()).unwrap_err().to_string();
        assert!(error.contains("something else than a bundle"), "{error}");
        assert_eq!(fs::read_to_string(out.path().join("a/precious")).unwrap(), "x");
    }
}
