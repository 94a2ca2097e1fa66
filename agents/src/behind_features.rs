//! What of a change is behind features that are off: the compiler does not see it, and no test comes by. Which features would have
//! to be on, what is then seen, and what is left without them.

use std::collections::BTreeSet;

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileState};
use kaizen_sandbox::{Features, Metadata, Package};
use kaizen_source::{Configured, Names, Off, configured, declared};

/// How many files lie above one another, at most.
const DEEPEST: usize = 32;
/// How often features that are on show others that would have to be on.
const ROUNDS: usize = 4;
/// What stands in every manifest that has features.
const SIGNS: [&str; 2] = ["[features", "optional"];

/// What changes, and what there is to know about the packages around it.
pub(crate) struct Sources<'a> {
    pub changes: &'a [Change],
    pub metadata: &'a Metadata,
    /// The text of a file before the change.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// A change, with and without the features that it is behind.
pub(crate) struct BehindFeatures {
    /// Those that have to be on, such as `shop/serde`.
    pub names: BTreeSet<String>,
    /// What of the change is seen without them.
    pub without: Vec<Change>,
    /// And with them.
    pub with: Vec<Change>,
    /// Whether a part of it is seen neither way.
    pub left: bool,
}

/// A change as it is compiled.
struct Seen {
    changes: Vec<Change>,
    /// The pieces of it that are not, each with the package that it belongs to.
    off: Vec<(String, Off)>,
}

/// Whether a repository with these files may have features at all.
pub(crate) fn may_have_features(files: &[String], read: &dyn Fn(&str) -> Option<String>) -> bool {
    let manifests = files.iter().filter(|path| path.rsplit('/').next() == Some("Cargo.toml"));
    manifests.filter_map(|path| read(path)).any(|text| SIGNS.iter().any(|sign| text.contains(sign)))
}

impl Sources<'_> {
    /// What of the change is behind features that are off among these; none where there is nothing, or no feature helps.
    pub(crate) fn behind(&self, features: &Features) -> Option<BehindFeatures> {
        let without = self.seen(features);
        let mut names = BTreeSet::new();
        let mut with = None;
        for _ in 0..ROUNDS {
            let seen = with.as_ref().unwrap_or(&without);
            let wanted = |(package, off): &(String, Off)| -> Vec<String> {
                off.wants.iter().map(|name| format!("{package}/{name}")).collect()
            };
            let more: BTreeSet<String> = seen.off.iter().flat_map(wanted).collect();
            if more.is_subset(&names) {
                break;
            }
            names.extend(more);
            with = Some(self.seen(&features.with(&names)));
        }
        let with = with?;
        let left = with.off.iter().any(|(_, off)| without.off.iter().any(|(_, other)| other.text.contains(&off.text)));
        Some(BehindFeatures { names, without: without.changes, with: with.changes, left })
    }

    fn seen(&self, features: &Features) -> Seen {
        let mut seen = Seen { changes: Vec::new(), off: Vec::new() };
        for change in self.changes {
            match self.seen_of(change, features) {
                Some((changed, off)) => {
                    seen.changes.extend(changed);
                    seen.off.extend(off);
                }
                None => seen.changes.push(change.clone()),
            }
        }
        seen
    }

    /// What of the change of a file is compiled, and what is not; none where that is all the same.
    #[expect(clippy::type_complexity, reason = "the two halves of one answer, taken apart at once")]
    fn seen_of(&self, change: &Change, features: &Features) -> Option<(Option<Change>, Vec<(String, Off)>)> {
        if !change.path.is_rust() {
            return None;
        }
        let (before, after) = change.texts()?;
        let package = self.metadata.package_of(change.path.as_str())?;
        let on = self.on(package, features)?;
        // One that the package does not have cannot be turned on.
        let known = Features::All.on(&self.text(&package.manifest)?, &[]);
        let of_package = |mut off: Off| {
            off.wants.retain(|name| known.contains(name));
            (package.name.clone(), off)
        };
        if let Some(wants) = self.file_off(change.path.as_str(), package, &on) {
            let text = if after.is_empty() { before } else { after };
            return Some((None, vec![of_package(Off { text: text.to_owned(), wants })]));
        }
        let (old, new) = (configured(before, &on).ok()?, configured(after, &on).ok()?);
        let other = |one: &Configured, other: &Configured| -> Vec<Off> {
            one.off.iter().filter(|off| !other.off.contains(off)).cloned().collect()
        };
        let off: Vec<Off> = other(&new, &old).into_iter().chain(other(&old, &new)).collect();
        if off.is_empty() {
            return None;
        }
        let state = |state: &Option<FileState>, text: String| {
            state.as_ref().map(|state| FileState { bytes: text.into_bytes(), ..state.clone() })
        };
        let (before, after) = (state(&change.before, old.text), state(&change.after, new.text));
        let is_same = before == after;
        let changed = Change { path: change.path.clone(), before, after };
        Some(((!is_same).then_some(changed), off.into_iter().map(of_package).collect()))
    }

    /// The features of a package that are on.
    fn on(&self, package: &Package, features: &Features) -> Option<Names> {
        let others = self.metadata.packages.iter().filter(|other| other.manifest != package.manifest);
        let mut others: Vec<String> = others.filter_map(|other| self.text(&other.manifest)).collect();
        // What packages have in common may stand in a manifest that is none of a package.
        others.extend(self.text("Cargo.toml").filter(|_| package.manifest != "Cargo.toml"));
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        Some(features.on(&self.text(&package.manifest)?, &others))
    }

    /// The text of a file after the change.
    fn text(&self, path: &str) -> Option<String> {
        match self.changes.iter().find(|change| change.path.as_str() == path) {
            Some(change) => String::from_utf8(change.after.as_ref()?.bytes.clone()).ok(),
            None => (self.read)(path),
        }
    }

    /// The features that have to be on for a whole file to be compiled; none when it is.
    fn file_off(&self, path: &str, package: &Package, on: &Names) -> Option<Names> {
        let mut path = path.to_owned();
        for _ in 0..DEEPEST {
            if let Some(needs) = package.needs.get(&path) {
                let wants: Names = needs.iter().filter(|name| !on.contains(*name)).cloned().collect();
                return (!wants.is_empty()).then_some(wants);
            }
            if package.roots.iter().any(|root| root.path == path) {
                return None;
            }
            let (module, above) = above(&path, package)?;
            let mut found = None;
            for file in above {
                let Some(text) = self.text(&file).filter(|text| text.contains(module.as_str())) else { continue };
                let Ok(Some(declared)) = declared(&text, &module, on) else { continue };
                let is_better = found.as_ref().is_none_or(|(_, known): &(String, kaizen_source::Declared)| known.off);
                if is_better {
                    found = Some((file, declared));
                }
            }
            let (file, declared) = found?;
            if declared.off {
                return Some(declared.wants);
            }
            path = file;
        }
        None
    }
}

/// The module that a file is, and the files that may declare it.
fn above(path: &str, package: &Package) -> Option<(String, Vec<String>)> {
    let path = RelPath::new(path).ok()?;
    let (mut folder, file) = path.as_str().rsplit_once('/')?;
    let mut module = file.strip_suffix(".rs")?;
    if module == "mod" {
        (folder, module) = folder.rsplit_once('/')?;
    }
    let of_folder =
        |root: &&kaizen_sandbox::CrateRoot| root.path.rsplit_once('/').is_some_and(|(place, _)| place == folder);
    let roots = package.roots.iter().filter(of_folder).map(|root| root.path.clone());
    let mut above: Vec<String> = roots.collect();
    above.extend([format!("{folder}/mod.rs"), format!("{folder}.rs")]);
    above.retain(|one| one != path.as_str());
    Some((module.to_owned(), above))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_domain::edit::FileMode;
    use kaizen_sandbox::CrateRoot;

    const MANIFEST: &str = "[package]\nname = \"shop\"\n[features]\njson = []\ncsv = [\"json\"]\n";
    const ROOT: &str = "mod plain;\n#[cfg(feature = \"json\")]\nmod json;\n";

    fn change(path: &str, before: &str, after: &str) -> Change {
        let state = |text: &str| {
            (!text.is_empty()).then(|| FileState { mode: FileMode::Regular, bytes: text.as_bytes().to_vec() })
        };
        let path = RelPath::new(path).expect("it is a path");
        Change { path, before: state(before), after: state(after) }
    }

    fn behind(changes: &[Change], features: &Features) -> Option<BehindFeatures> {
        let root = CrateRoot { path: "src/lib.rs".to_owned(), name: "shop".to_owned(), program: None };
        let tool =
            CrateRoot { path: "src/bin/tool.rs".to_owned(), name: "tool".to_owned(), program: Some("tool".to_owned()) };
        let needs = [("src/bin/tool.rs", "csv"), ("tests/both.rs", "json")];
        let needs = needs.map(|(path, name)| (path.to_owned(), vec![name.to_owned()]));
        let package = Package {
            name: "shop".to_owned(),
            manifest: "Cargo.toml".to_owned(),
            kinds: Vec::new(),
            edition: "2021".to_owned(),
            roots: vec![root, tool],
            benches: Vec::new(),
            needs: needs.into(),
            uses: Vec::new(),
        };
        let metadata = Metadata { packages: vec![package] };
        let read = |path: &str| match path {
            "Cargo.toml" => Some(MANIFEST.to_owned()),
            "src/lib.rs" => Some(ROOT.to_owned()),
            "src/json.rs" => Some("mod deep;".to_owned()),
            _ => None,
        };
        Sources { changes, metadata: &metadata, read: &read }.behind(features)
    }

    fn names(found: &BehindFeatures) -> Vec<&str> {
        found.names.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_file_is_behind_what_declares_it() {
        let deep = [change("src/json/deep.rs", "fn a() {}", "fn b() {}")];
        let found = behind(&deep, &Features::Default).expect("it is behind a feature");
        assert_eq!(
            (names(&found), found.without.len(), found.with.as_slice(), found.left),
            (vec!["shop/json"], 0, &deep[..], false)
        );
        let on = Features::Default.with(&BTreeSet::from(["csv".to_owned()]));
        assert!(behind(&deep, &on).is_none(), "one feature turns the other on");
        assert!(behind(&[change("src/plain.rs", "fn a() {}", "fn b() {}")], &Features::Default).is_none());
        let tool = [change("src/bin/tool.rs", "fn main() {}", "fn main() { }")];
        assert_eq!(behind(&tool, &Features::Default).as_ref().map(names), Some(vec!["shop/csv"]));
        let test = [change("tests/both.rs", "", "#[test] fn a() {}")];
        assert_eq!(behind(&test, &Features::Default).as_ref().map(names), Some(vec!["shop/json"]));
    }

    #[test]
    fn items_are_looked_at_where_they_are_compiled() {
        let text = |plain: u8, json: u8, csv: u8| {
            format!(
                "fn p() -> u8 {{ {plain} }}\n#[cfg(feature = \"json\")]\nmod m {{\n  fn j() -> u8 {{ {json} }}\n  \
                 #[cfg(feature = \"csv\")] fn c() -> u8 {{ {csv} }}\n}}\n"
            )
        };
        let of = |after: String| behind(&[change("src/plain.rs", &text(1, 1, 1), &after)], &Features::Default);
        assert!(of(text(2, 1, 1)).is_none());
        let found = of(text(1, 2, 1)).expect("it is behind a feature");
        assert_eq!((names(&found), found.without.len(), found.with.len()), (vec!["shop/json"], 0, 1));
        let found = of(text(2, 1, 2)).expect("it is behind a feature");
        assert_eq!((names(&found), found.without.len(), found.left), (vec!["shop/csv", "shop/json"], 1, false));
        let shown = found.without.first().and_then(|change| change.texts()).expect("it is text").1.to_owned();
        assert!(shown.contains("p() -> u8 { 2 }") && !shown.contains("mod m"), "{shown}");
    }

    #[test]
    fn what_no_feature_shows_is_left() {
        let text = |one: u8, other: u8| {
            format!(
                "#[cfg(feature = \"json\")] fn a() -> u8 {{ {one} }}\n\
                 #[cfg(all(feature = \"json\", not(feature = \"json\")))] fn b() -> u8 {{ {other} }}\n"
            )
        };
        let of = |after: String| behind(&[change("src/plain.rs", &text(1, 1), &after)], &Features::Default);
        assert_eq!(of(text(2, 1)).map(|found| found.left), Some(false));
        assert_eq!(of(text(2, 2)).map(|found| found.left), Some(true));
        for condition in ["not(feature = \"json\")", "feature = \"nobody-has-it\""] {
            let off = |value: u8| format!("#[cfg({condition})] fn a() -> u8 {{ {value} }}");
            assert!(behind(&[change("src/plain.rs", &off(1), &off(2))], &Features::Default).is_none(), "{condition}");
        }
    }
}
