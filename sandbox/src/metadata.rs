//! What cargo says about the packages of a workspace. Run inside: a repository's configuration may name programs.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::runner::{Call, Runner, TrialError};

/// The packages of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// They, in cargo's order.
    pub packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its manifest, below the top of the repository.
    pub manifest: String,
    /// The kinds of its targets, such as `lib`, `bin`, `test`, `example`.
    pub kinds: Vec<String>,
    /// The edition of the language, such as `2021`.
    pub edition: String,
    /// Its library and its programs.
    pub roots: Vec<CrateRoot>,
    /// Its benchmarks, apart from those that want a feature.
    pub benches: Vec<BenchTarget>,
    /// The first files of targets that are built with some features only, below the top of the repository, each with those.
    pub needs: BTreeMap<String, Vec<String>>,
    /// The folders of packages that it depends on by their path, each with a slash at the end.
    pub uses: Vec<String>,
}

/// A target that holds benchmarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchTarget {
    /// Its name.
    pub name: String,
    /// Its first file, below the top of the repository.
    pub path: String,
}

/// A library or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateRoot {
    /// Its first file, below the top of the repository.
    pub path: String,
    /// Its name in the manifest.
    pub name: String,
    /// The program's name; none for the library.
    pub program: Option<String>,
}

impl Package {
    /// The folder of its manifest with a slash at the end; empty for the top of the repository.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.manifest.strip_suffix("Cargo.toml").unwrap_or(&self.manifest)
    }
}

#[derive(Deserialize)]
struct Raw {
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    manifest_path: String,
    edition: String,
    targets: Vec<RawTarget>,
    #[serde(default)]
    dependencies: Vec<RawDependency>,
}

#[derive(Deserialize)]
struct RawDependency {
    path: Option<String>,
}

#[derive(Deserialize)]
struct RawTarget {
    kind: Vec<String>,
    name: String,
    src_path: String,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

impl RawTarget {
    fn root(&self, base: &WarmBase) -> Option<CrateRoot> {
        let is = |wanted: &[&str]| self.kind.iter().any(|kind| wanted.contains(&kind.as_str()));
        let program = is(&["bin"]).then(|| self.name.clone());
        let library = is(&["lib", "rlib", "dylib", "cdylib", "staticlib"]);
        let path = base.below_tree(&self.src_path)?.to_owned();
        (program.is_some() || library).then_some(CrateRoot { path, name: self.name.clone(), program })
    }

    fn needs(&self, base: &WarmBase) -> Option<(String, Vec<String>)> {
        let path = base.below_tree(&self.src_path)?.to_owned();
        (!self.required_features.is_empty()).then(|| (path, self.required_features.clone()))
    }

    fn bench(&self, base: &WarmBase) -> Option<BenchTarget> {
        let is_bench = self.kind.iter().any(|kind| kind == "bench") && self.required_features.is_empty();
        let path = base.below_tree(&self.src_path)?.to_owned();
        is_bench.then(|| BenchTarget { name: self.name.clone(), path })
    }
}

impl RawDependency {
    /// The folder of a package of this repository.
    fn folder(&self, base: &WarmBase) -> Option<String> {
        base.below_tree(&format!("{}/", self.path.as_ref()?)).map(str::to_owned)
    }
}

impl Metadata {
    /// Whether any package has a library.
    #[must_use]
    pub fn has_library(&self) -> bool {
        self.packages.iter().flat_map(|package| &package.kinds).any(|kind| kind.contains("lib") || kind == "proc-macro")
    }

    /// The package that a file below the top of the repository belongs to: the one with the nearest manifest above it.
    #[must_use]
    pub fn package_of(&self, path: &str) -> Option<&Package> {
        let above = |package: &&Package| path.starts_with(package.folder());
        self.packages.iter().filter(above).max_by_key(|package| package.folder().len())
    }

    /// A package and those of the workspace that it is built from.
    #[must_use]
    pub fn built_from<'m>(&'m self, package: &'m Package) -> Vec<&'m Package> {
        let mut all = vec![package];
        let mut next = 0;
        while let Some(user) = all.get(next).copied() {
            next += 1;
            let used = self.packages.iter().filter(|package| user.uses.iter().any(|folder| folder == package.folder()));
            for package in used {
                if all.iter().all(|known| known.manifest != package.manifest) {
                    all.push(package);
                }
            }
        }
        all
    }

    fn read(json: &[u8], base: &WarmBase) -> Option<Self> {
        let raw: Raw = serde_json::from_slice(json).ok()?;
        let packages = raw
            .packages
            .into_iter()
            .map(|package| Package {
                name: package.name,
                manifest: base.below_tree(&package.manifest_path).unwrap_or(&package.manifest_path).to_owned(),
                edition: package.edition,
                roots: package.targets.iter().filter_map(|target| target.root(base)).collect(),
                benches: package.targets.iter().filter_map(|target| target.bench(base)).collect(),
                needs: package.targets.iter().filter_map(|target| target.needs(base)).collect(),
                uses: package.dependencies.iter().filter_map(|dependency| dependency.folder(base)).collect(),
                kinds: package.targets.into_iter().flat_map(|target| target.kind).collect(),
            })
            .collect();
        Some(Self { packages })
    }
}

impl Runner {
    /// Asks cargo for the packages of the workspace, with these changes applied.
    ///
    /// # Errors
    /// When cargo does not understand the project.
    pub fn metadata(&self, base: &WarmBase, changes: Vec<TreeChange>, cancel: &Cancel) -> Result<Metadata, TrialError> {
        let args = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
        let call = Call {
            program: self.toolchain.program("cargo"),
            args: args.map(Into::into).into(),
            changes,
            warm: false,
            merge_output: false,
            wall: self.settings.limits.wall,
            ..Call::default()
        };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let read = if done.exit == Exit::Code(0) { Metadata::read(&done.stdout, base) } else { None };
        read.ok_or_else(|| TrialError::Metadata { output: String::from_utf8_lossy(&done.stderr).trim().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_nearest_package_above_it() {
        let package = |name: &str, manifest: &str| Package {
            name: name.to_owned(),
            manifest: manifest.to_owned(),
            kinds: Vec::new(),
            edition: "2021".to_owned(),
            roots: Vec::new(),
            benches: Vec::new(),
            needs: BTreeMap::new(),
            uses: Vec::new(),
        };
        let inner = package("inner", "crates/inner/Cargo.toml");
        let metadata = Metadata { packages: vec![package("outer", "Cargo.toml"), inner.clone()] };
        let of = |path: &str| metadata.package_of(path).map(|package| package.name.as_str());
        assert_eq!(of("crates/inner/src/lib.rs"), Some("inner"));
        assert_eq!(of("crates/inner-most/src/lib.rs"), Some("outer"));
        assert_eq!(of("src/lib.rs"), Some("outer"));
        assert_eq!(Metadata { packages: vec![inner] }.package_of("src/lib.rs"), None);
    }

    #[test]
    fn a_package_is_built_from_what_it_uses_and_what_that_uses() {
        let package = |name: &str, uses: &[&str]| Package {
            name: name.to_owned(),
            manifest: if name == "top" { "Cargo.toml".to_owned() } else { format!("crates/{name}/Cargo.toml") },
            kinds: Vec::new(),
            edition: "2021".to_owned(),
            roots: Vec::new(),
            benches: Vec::new(),
            needs: BTreeMap::new(),
            uses: uses.iter().map(|folder| (*folder).to_owned()).collect(),
        };
        let packages = vec![
            package("top", &["crates/one/"]),
            package("one", &["crates/two/", "crates/gone/"]),
            // Tests may use what uses them.
            package("two", &["crates/one/", ""]),
            package("other", &[]),
        ];
        let metadata = Metadata { packages };
        let of = |name: &str| {
            let package = metadata.packages.iter().find(|package| package.name == name).unwrap();
            metadata.built_from(package).into_iter().map(|package| package.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of("top"), ["top", "one", "two"]);
        assert_eq!(of("two"), ["two", "top", "one"]);
        assert_eq!(of("other"), ["other"]);
    }
}
