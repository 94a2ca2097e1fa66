//! Whether the compiler makes the same of two trees: then they do the same, whatever tests look at. Compared is rustc's
//! intermediate representation after its optimisations (MIR), in which every function of a crate stands, generic ones as
//! well; names of variables and places in the source say nothing in it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::Package;
use crate::runner::{Call, Runner, TrialError};

/// Fixed: the file and cargo come in as arguments. Comments and names of variables are taken out, and the places in the names
/// of closures and impl blocks become the order in which they first come up: which is meant stays to be seen, where it
/// stands does not. What is left is printed as its digest, after the names of functions and the files that were read, each behind
/// a word that says which it is. It is compiled with the checks that tests run with. Of what cargo asks the compiler for, the
/// program itself is left out: it takes longer than all the rest.
const SCRIPT: &str = r#"file=$1 cargo=$2
shift 2
cat >"$file.sh" <<'END' && chmod +x "$file.sh" || exit
#!/bin/sh
for arg do
  case $arg in
  --emit=mir=*)
    for arg do
      shift
      case $arg in --emit=dep-info,*) ;; *) set -- "$@" "$arg" ;; esac
    done
    break ;;
  esac
done
exec "$@"
END
RUSTC_WRAPPER="$file.sh" "$cargo" rustc --offline --quiet "$@" --emit=mir="$file" --emit=dep-info="$file.d" -C opt-level=2 -C debug-assertions=on -C overflow-checks=on || exit
sed -n 's/^\(const \)\{0,1\}fn \([^(]*\)(.*$/fn \2/p' "$file"
sed -n 's/^\([^# ].*\.rs\):$/file \1/p' "$file.d"
awk '/^ *\/\// || /^ *debug / || /^ *$/ { next }
{
  out = ""; rest = $0
  while (match(rest, /:[0-9]+:[0-9]+: [0-9]+:[0-9]+[}>]/)) {
    place = substr(rest, RSTART, RLENGTH - 1)
    if (!(place in order)) order[place] = ++count
    out = out substr(rest, 1, RSTART - 1) "~" order[place]
    rest = substr(rest, RSTART + RLENGTH - 1)
  }
  print out rest
}' "$file" | sha256sum"#;

/// What the compiler made of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compiled {
    /// The digest of each library and program.
    digests: Vec<String>,
    /// The names of functions in them, as they are written, without modules and types.
    pub functions: BTreeSet<String>,
    /// The files that were read for it, as the compiler names them.
    files: BTreeSet<String>,
}

impl Runner {
    /// What the compiler makes of the libraries and programs of a package with `changes`; none when it cannot be seen.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn compiled(
        &self,
        base: &WarmBase,
        package: &Package,
        changes: &[TreeChange],
        cancel: &Cancel,
    ) -> Result<Option<Compiled>, TrialError> {
        // What is made of the base itself is made once.
        let kept = changes.is_empty().then(|| base.known_dir().join(format!("{}.json", package.name)));
        if let Some(known) = kept.as_deref().and_then(|kept| std::fs::read(kept).ok())
            && let Ok(known) = serde_json::from_slice::<Option<Compiled>>(&known)
        {
            return Ok(known);
        }
        self.build_dependencies(base, package, cancel)?;
        let mut all = Compiled::default();
        for target in &package.roots {
            let file = base.places().tmp.join("code.mir");
            let mut args: Vec<OsString> = vec!["-c".into(), SCRIPT.into(), "compile".into(), file.into()];
            args.extend([self.toolchain().program("cargo").into(), "-p".into(), package.name.clone().into()]);
            match &target.program {
                None => args.push("--lib".into()),
                Some(name) => args.extend(["--bin".into(), name.into()]),
            }
            args.push("--".into());
            let wall = self.settings.limits.wall;
            let call = Call { program: "/bin/sh".into(), args, changes: changes.to_vec(), wall, ..Call::default() };
            let done = self.call(base, call, cancel, &mut |_| {})?;
            match (done.exit, String::from_utf8(done.stdout)) {
                (Exit::Code(0), Ok(text)) if all.take(&text).is_some() => {}
                _ => return Ok(None),
            }
        }
        let all = Some(all).filter(|all| !all.digests.is_empty());
        if let (Some(kept), Ok(text)) = (kept, serde_json::to_vec(&all)) {
            keep(&kept, &text);
        }
        Ok(all)
    }

    /// Builds a library of the base as it is for itself. Its dependencies may have fewer features then than with its tests, and
    /// would be built again each time; what is built here stays.
    pub(crate) fn build_dependencies(
        &self,
        base: &WarmBase,
        package: &Package,
        cancel: &Cancel,
    ) -> Result<(), TrialError> {
        let done = base.known_dir().join(format!("{}.built", package.name));
        if done.exists() || package.roots.iter().all(|root| root.program.is_some()) {
            return Ok(());
        }
        let args = ["build", "--offline", "--quiet", "-p", &package.name, "--lib"].map(OsString::from).into();
        let (program, wall) = (self.toolchain().program("cargo"), self.settings.build_wall);
        let call = Call { program, args, warm: true, wall, ..Call::default() };
        let ended = self.call(base, call, cancel, &mut |_| {})?.exit;
        tracing::debug!(package = package.name, %ended, "its dependencies are built for itself");
        keep(&done, b"");
        Ok(())
    }
}

/// Keeps what is known of the base. What cannot be kept is found out again the next time.
pub(crate) fn keep(path: &Path, bytes: &[u8]) {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let Err(error) = folder.and_then(|()| std::fs::write(path, bytes)) {
        tracing::debug!(%error, path = %path.display(), "what is known of the base cannot be kept");
    }
}

impl Compiled {
    /// Takes what the script printed; none when that is not whole.
    fn take(&mut self, text: &str) -> Option<()> {
        let mut lines: Vec<&str> = text.lines().collect();
        let digest = lines.pop()?.split_whitespace().next().filter(|digest| digest.len() == 64)?;
        self.digests.push(digest.to_owned());
        let functions = lines.iter().filter_map(|line| line.strip_prefix("fn "));
        self.functions.extend(functions.map(|name| name.rsplit("::").next().unwrap_or(name).to_owned()));
        self.files.extend(lines.iter().filter_map(|line| Some(line.strip_prefix("file ")?.replace("\\ ", " "))));
        Some(())
    }

    /// Whether a file of the repository was read for it.
    #[must_use]
    pub fn reads(&self, path: &str) -> bool {
        self.files.iter().any(|file| {
            let (long, short) = if file.len() < path.len() { (path, file.as_str()) } else { (file.as_str(), path) };
            long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_not_taken() {
        let mut compiled = Compiled::default();
        assert_eq!(compiled.take("fn tax::<impl Tax>::apply\nfn round\n"), None);
        assert_eq!(compiled.take(""), None);
        let digest = "0".repeat(64);
        let text = format!("fn tax::<impl Tax>::apply\nfn round\nfile src/tax.rs\n{digest}  -\n");
        assert_eq!(compiled.take(&text), Some(()));
        assert!(compiled.functions.contains("apply") && compiled.functions.contains("round"));
        let reads =
            ["src/tax.rs", "shop/src/tax.rs", "tax.rs", "src/thetax.rs", "rc/tax.rs"].map(|path| compiled.reads(path));
        assert_eq!(reads, [true, true, true, false, false]);
    }
}
