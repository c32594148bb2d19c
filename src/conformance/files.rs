//! The one place where conformance reads files.

use std::io;
use std::path::{Path, PathBuf};

/// All files below a directory, sorted by path, links not followed.
///
/// # Errors
/// The first directory that cannot be read, named.
pub fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = std::fs::read_dir(dir)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", dir.display())))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        if entry.file_type()?.is_dir() {
            files.extend(list(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// The text of a file.
///
/// # Errors
/// Why it cannot be read, with its name.
pub fn read(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
}
