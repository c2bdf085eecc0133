//! The repository's files, as somebody finds them in a checkout.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file's path, from the repository's root and with `/`, and its text.
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All text files with one of these extensions (`""`: without one), in order of path.
pub(super) fn repository(extensions: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        let extension = path.extension().map_or("", |e| e.to_str().unwrap_or("?"));
        if !extensions.contains(&extension) {
            return;
        }
        // A file without an extension may be anything; what is not text has no lines to judge.
        let Ok(text) = fs::read_to_string(path) else {
            return;
        };
        let path = path.strip_prefix(root()).expect("walked from the root");
        let path = path.to_str().expect("a path in UTF-8").replace('\\', "/");
        found.push(SourceFile { path, text });
    });
    assert!(!found.is_empty(), "no file with {extensions:?}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Skips what a build or a run leaves behind, and what belongs to other tools.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = name.starts_with('.') && name != ".ci";
        if hidden || name == "target" || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

/// Whether `link`, as it stands in the page at `path`, names a file or folder of the repository.
pub(super) fn exists_beside(path: &str, link: &str) -> bool {
    let folder = root().join(path);
    let folder = folder.parent().expect("a file has a folder");
    let file = link.split('#').next().unwrap_or_default();
    file.is_empty() || folder.join(file).exists()
}
