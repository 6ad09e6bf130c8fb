//! The examples in C# of the book's page on .NET, which tests load as plugins. The first line of each block names its file:
//! `// Calculator.cs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const FENCE: &str = "```csharp\n";

/// Returns the examples by the names of their files, without the ending.
pub(super) fn examples(page: &str) -> Result<BTreeMap<String, &str>> {
    let mut examples = BTreeMap::new();
    for block in page.split(FENCE).skip(1) {
        let code = block.split("```").next().unwrap_or(block);
        let first = code.lines().next().unwrap_or_default();
        let name = first.strip_prefix("// ").and_then(|file| file.strip_suffix(".cs"));
        let name = name.filter(|name| !name.is_empty() && name.chars().all(char::is_alphanumeric));
        let Some(name) = name else {
            bail!(
                "an example in C# begins with the name of its file, as in `// Calculator.cs`, and not with `{first}`"
            );
        };
        if examples.insert(name.to_owned(), code).is_some() {
            bail!("two examples in C# are called {name}.cs: rename one");
        }
    }
    Ok(examples)
}

/// Writes the examples into a folder, which has nothing else afterwards. Returns the files.
pub(super) fn write(examples: &BTreeMap<String, &str>, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let files: BTreeMap<_, _> =
        examples.iter().map(|(name, code)| (folder.join(format!("{name}.cs")), *code)).collect();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if !files.contains_key(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    for (file, code) in &files {
        fs::write(file, code).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(files.into_keys().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Text.\n\n```csharp\n// One.cs\nclass One {}\n```\n\n```csharp,ignore\nnothing\n```\n\n\
                        ```rust\nfn main() {}\n```\n\n```csharp\n// Two.cs\nclass Two {}\n```\n";

    #[test]
    fn blocks_become_files() {
        let examples = examples(PAGE).unwrap();
        assert_eq!(examples["One"], "// One.cs\nclass One {}\n");
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("page");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("Old.cs"), "").unwrap();
        let files = write(&examples, &folder).unwrap();
        assert_eq!(files, ["One.cs", "Two.cs"].map(|name| folder.join(name)));
        assert_eq!(fs::read_to_string(&files[1]).unwrap(), "// Two.cs\nclass Two {}\n");
        assert!(!folder.join("Old.cs").exists());
    }

    #[test]
    fn a_block_has_a_name_of_its_own() {
        let error = examples("```csharp\nusing System;\n```\n").unwrap_err().to_string();
        assert!(error.contains("and not with `using System;`"), "{error}");
        let error = examples("```csharp\n// ../One.cs\n```\n").unwrap_err().to_string();
        assert!(error.contains("`// ../One.cs`"), "{error}");
        let error = examples("```csharp\n// One.cs\n```\n```csharp\n// One.cs\n```\n").unwrap_err().to_string();
        assert!(error.contains("One.cs: rename one"), "{error}");
    }
}
