//! Which files are the roots of crates, and which files may hold a module, by the layout that cargo and rustc share.

use kaizen_domain::RelPath;

/// The root file of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// The folder of the package; empty at the top of the repository.
    pub(super) package: String,
    pub(super) file: RelPath,
    /// A library or a main program, rather than a test, an example or a further program.
    pub(super) main: bool,
}

/// The roots among these files.
pub(super) fn roots(files: &[RelPath]) -> Vec<Root> {
    files.iter().filter_map(root_of).collect()
}

fn root_of(file: &RelPath) -> Option<Root> {
    let parts: Vec<&str> = file.parts().collect();
    let root = |count: usize, main| {
        let package = parts.get(..parts.len().checked_sub(count)?)?.join("/");
        Some(Root { package, file: file.clone(), main })
    };
    match parts.as_slice() {
        [.., "src", "lib.rs" | "main.rs"] => root(2, true),
        [.., "src", "bin", _, "main.rs"] => root(4, false),
        [.., "src", "bin", _] => root(3, false),
        [.., "tests" | "examples" | "benches", _, "main.rs"] if !parts.contains(&"src") => root(3, false),
        [.., "tests" | "examples" | "benches", _] if !parts.contains(&"src") => root(2, false),
        _ => None,
    }
}

impl Root {
    /// Whether this is the package that a path's first part names: by folder, or by crate name.
    pub(super) fn is_package(&self, named: &str) -> bool {
        let last = self.package.rsplit('/').next().unwrap_or("");
        self.package == named.trim_end_matches('/')
            || (!last.is_empty() && last.replace('-', "_") == named.replace('-', "_"))
    }
}

/// The folder in which a file's modules lie.
pub(super) fn modules_of(file: &RelPath, is_root: bool) -> String {
    let text = file.as_str();
    let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
    if is_root || file.file_name() == "mod.rs" {
        folder.to_owned()
    } else {
        text.strip_suffix(".rs").unwrap_or(text).to_owned()
    }
}

/// The two files that may hold module `name` of a folder.
pub(super) fn candidates(folder: &str, name: &str) -> [Option<RelPath>; 2] {
    let name = name.strip_prefix("r#").unwrap_or(name);
    [format!("{name}.rs"), format!("{name}/mod.rs")].map(|file| RelPath::below(folder, &file).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_by_layout() {
        let files =
            ["src/lib.rs", "crates/a-b/src/main.rs", "src/bin/x.rs", "tests/it.rs", "src/tests/x.rs", "src/a.rs"];
        let files: Vec<RelPath> = files.map(|file| RelPath::new(file).unwrap()).into();
        let found = roots(&files);
        let shown: Vec<_> = found.iter().map(|root| (root.package.as_str(), root.file.as_str(), root.main)).collect();
        assert_eq!(
            shown,
            [
                ("", "src/lib.rs", true),
                ("crates/a-b", "crates/a-b/src/main.rs", true),
                ("", "src/bin/x.rs", false),
                ("", "tests/it.rs", false),
            ]
        );
        assert!(
            found.iter().any(|root| root.is_package("a_b")) && found.iter().any(|root| root.is_package("crates/a-b"))
        );
    }
}
