//! The names of a bundle's chunks, by which Lua names files in errors and debuggers find them.
//!
//! A chunk of a file has the file's path in the bundle's own directory as its name. Lua shortens names to their ends where
//! it puts them into texts, so [`Chunks`] knows the short forms, and finds the files of a bundle in texts.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::CString;
use std::path::Path;

/// The room that Lua has for a chunk's name in a text, with a null at its end: `LUA_IDSIZE`.
const ROOM: usize = 60;

/// The chunks that a VM has loaded.
#[derive(Default)]
pub(crate) struct Chunks {
    loaded: RefCell<Vec<Chunk>>,
}

struct Chunk {
    /// The name as it is in texts.
    shown: String,
    /// The path of the file in the bundle.
    file: String,
}

impl Chunks {
    /// Returns the name for the chunk of a file of the bundle in `directory`, and remembers the name. A chunk of a bundle
    /// in memory is called like its file.
    pub(crate) fn name(&self, directory: Option<&Path>, file: &str) -> CString {
        let path = directory.map(|directory| directory.join(file));
        let path = path.as_deref().map_or(file.as_bytes(), |path| path.as_os_str().as_encoded_bytes());
        let path: Vec<u8> = path.iter().copied().filter(|byte| *byte != 0).collect();
        let shown = shown(&path);
        if shown != file && !self.loaded.borrow().iter().any(|chunk| chunk.shown == shown) {
            self.loaded.borrow_mut().push(Chunk { shown, file: file.to_owned() });
        }
        CString::new([b"@", &*path].concat()).unwrap_or_default()
    }

    /// Replaces the names of chunks in a text by the paths of their files in the bundle.
    pub(crate) fn with_files(&self, text: String) -> String {
        let loaded = self.loaded.borrow();
        loaded.iter().fold(text, |text, Chunk { shown, file }| {
            // A name stands before a line.
            let (shown, file) = (format!("{shown}:"), format!("{file}:"));
            if text.contains(&shown) { text.replace(&shown, &file) } else { text }
        })
    }
}

/// Returns the name of a chunk as Lua puts it into texts.
fn shown(path: &[u8]) -> String {
    let shown = match path.len() {
        len if len < ROOM => Cow::Borrowed(path),
        len => Cow::Owned([b"...", &path[len - (ROOM - 4)..]].concat()),
    };
    String::from_utf8_lossy(&shown).into_owned()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::path::MAIN_SEPARATOR;

    use mlua::ffi;

    use super::*;
    use crate::program::BareVm;
    use crate::text::text_at;

    #[test]
    fn names_are_found_in_the_texts_of_lua() {
        let deep = format!("/{}/plug-in", "a folder/".repeat(12));
        let not_ascii = format!("/{}", "\u{e4}".repeat(40));
        for directory in ["/p", "/with space: and colon", &deep, &not_ascii, &format!("{not_ascii}x")] {
            let chunks = Chunks::default();
            let name = chunks.name(Some(directory.as_ref()), "lib/inner.lua");
            assert_eq!(name.to_str().unwrap(), format!("@{directory}{MAIN_SEPARATOR}lib/inner.lua"));
            let vm = BareVm::new().unwrap();
            // SAFETY: the VM is valid until dropped, and a failed compilation leaves a string.
            let text = unsafe {
                let text: &CStr = c"\n = 1";
                let code = ffi::luaL_loadbuffer(vm.0, text.as_ptr(), text.count_bytes(), name.as_ptr());
                assert_ne!(code, ffi::LUA_OK);
                text_at(vm.0, -1)
            };
            assert!(!text.starts_with("lib/"), "{text}");
            let text = chunks.with_files(text);
            assert!(text.starts_with("lib/inner.lua:2: "), "{text}");
        }
    }

    #[test]
    fn chunks_in_memory_are_called_like_their_files() {
        let chunks = Chunks::default();
        assert_eq!(chunks.name(None, "main.lua").as_c_str(), c"@main.lua");
        assert_eq!(chunks.with_files("main.lua:1: x".to_owned()), "main.lua:1: x");
    }
}
