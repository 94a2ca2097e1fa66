//! What the compiler reads where macros stand: a library with each macro replaced by what it makes, all of its modules in
//! one text. Rust writes that down behind an option that only its developers' version takes; the stable one takes it where a
//! variable of the environment says so (`RUSTC_BOOTSTRAP`), which is set for this one call of the compiler alone, so that no
//! build script and no other crate sees it. Where a compiler refuses, nothing is known.

use std::ffi::OsString;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::Package;
use crate::runner::{Call, Runner, TrialError};
use crate::same_code::keep;

/// Fixed: the file and cargo come in as arguments. Only the call for the library itself has the word that is looked for.
const SCRIPT: &str = r#"file=$1 cargo=$2
shift 2
cat >"$file.sh" <<'END' && chmod +x "$file.sh" || exit
#!/bin/sh
for arg do
  [ "$arg" = kaizen_expands ] && RUSTC_BOOTSTRAP=1 exec "$@" -Zunpretty=expanded >"${0%.sh}"
done
exec "$@"
END
RUSTC_WRAPPER="$file.sh" "$cargo" rustc --offline --quiet "$@" --cap-lints allow --cfg kaizen_expands || exit
exec cat "$file""#;
/// What a library may come to, bytes.
const MOST: usize = 32 << 20;

impl Runner {
    /// The library of a package with `changes`, with what its macros make; none when it has none or that cannot be seen.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn expanded(
        &self,
        base: &WarmBase,
        package: &Package,
        changes: &[TreeChange],
        cancel: &Cancel,
    ) -> Result<Option<String>, TrialError> {
        if package.roots.iter().all(|root| root.program.is_some()) {
            return Ok(None);
        }
        // What is made of the base itself is made once.
        let kept = changes.is_empty().then(|| base.known_dir().join(format!("{}.expanded.rs", package.name)));
        if let Some(known) = kept.as_deref().and_then(|kept| std::fs::read_to_string(kept).ok()) {
            return Ok(Some(known).filter(|known| !known.is_empty()));
        }
        self.build_dependencies(base, package, cancel)?;
        let file = base.places().tmp.join("expanded.rs");
        let mut args: Vec<OsString> = vec!["-c".into(), SCRIPT.into(), "expand".into(), file.into()];
        args.push(self.toolchain().program("cargo").into());
        args.extend(["-p", &package.name, "--lib", "--"].map(OsString::from));
        let wall = self.settings.limits.wall;
        let call = Call { program: "/bin/sh".into(), args, changes: changes.to_vec(), wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let text = String::from_utf8(done.stdout).ok();
        let text = text.filter(|text| done.exit == Exit::Code(0) && !text.is_empty() && text.len() <= MOST);
        if text.is_none() {
            let said = String::from_utf8_lossy(&done.stderr);
            let first = said.lines().find(|line| line.contains("error")).unwrap_or_default();
            tracing::debug!(package = package.name, first, "what macros make is not seen");
        }
        if let Some(kept) = kept {
            keep(&kept, text.as_deref().unwrap_or_default().as_bytes());
        }
        Ok(text)
    }
}
