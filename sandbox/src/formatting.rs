//! Formats sources with the toolchain's rustfmt, in the sandbox: its settings come from the repository. A file that was not
//! formatted before stays as it was written, so that a patch changes no line that it is not about.

use std::ffi::OsString;

use kaizen_domain::RelPath;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::Metadata;
use crate::runner::{Call, Runner, TrialError, mark};

/// Fixed: the mark, the program, and for each text its folder, edition and file come in as arguments. rustfmt looks for its
/// settings from the folder that it is started in.
const SCRIPT: &str = r#"mark=$1 rustfmt=$2
shift 2
while [ "$#" -gt 0 ]; do
  ( mkdir -p "$1" && cd "$1" && "$rustfmt" --quiet --emit stdout --edition "$2" <"$3" ) 2>/dev/null
  printf '\n%s %s\n' "$mark" "$?"
  shift 3
done"#;

/// A larger source is left as it is, bytes.
const MOST: usize = 2 << 20;

/// A source before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Where it stands.
    pub path: RelPath,
    /// What stood there; none for a new file.
    pub before: Option<String>,
    /// What is to stand there.
    pub after: String,
}

impl Runner {
    /// Each source as it is to be written: formatted when it was so before, or is new, and rustfmt can read it; otherwise
    /// as it came. `tree` are the changes that lead from the base to the tree in which the sources stand.
    ///
    /// # Errors
    /// When the sandbox cannot run rustfmt, or cargo does not understand the project. A toolchain without rustfmt is none.
    pub fn formatted(
        &self,
        base: &WarmBase,
        tree: &[TreeChange],
        metadata: &Metadata,
        sources: &[Touched],
        cancel: &Cancel,
    ) -> Result<Vec<String>, TrialError> {
        let unchanged = || sources.iter().map(|source| source.after.clone()).collect();
        if !self.toolchain().rustfmt || sources.is_empty() {
            return Ok(unchanged());
        }
        let mark = mark();
        let mut args: Vec<OsString> = vec!["-c".into(), SCRIPT.into(), "format".into(), mark.clone().into()];
        args.push(self.toolchain().program("rustfmt").into());
        let mut changes = tree.to_vec();
        let mut asked = Vec::new();
        for source in sources {
            let texts = [source.before.as_deref(), Some(source.after.as_str())];
            let small = texts.iter().flatten().all(|text| text.len() <= MOST);
            // A file of no package has no edition that could be known.
            let package = metadata.package_of(source.path.as_str()).filter(|_| small);
            asked.push(package.is_some());
            let Some(package) = package else { continue };
            let folder = source.path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
            for text in texts {
                let name = format!(".kaizen-{}/{}", mark.trim_start_matches('@'), changes.len());
                let Ok(path) = RelPath::new(&name) else { return Ok(unchanged()) };
                let bytes = text.unwrap_or_default().as_bytes().to_vec();
                args.extend([base.inside(folder).into(), package.edition.clone().into(), base.inside(&name).into()]);
                changes.push(TreeChange::Write { path, bytes, executable: false });
            }
        }
        let call =
            Call { program: "/bin/sh".into(), args, changes, wall: self.settings.limits.wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let (Exit::Code(0), Ok(printed)) = (done.exit, String::from_utf8(done.stdout)) else { return Ok(unchanged()) };
        let mut texts = printed_texts(&printed, &mark);
        let formatted = sources.iter().zip(asked).map(|(source, asked)| {
            let (before, after) = if asked { (texts.next().flatten(), texts.next().flatten()) } else { (None, None) };
            let was_formatted = source.before.is_none() || source.before.as_deref() == before;
            after.filter(|_| was_formatted).unwrap_or(&source.after).to_owned()
        });
        Ok(formatted.collect())
    }
}

/// What was printed for each text; none where rustfmt failed.
fn printed_texts<'p>(printed: &'p str, mark: &str) -> impl Iterator<Item = Option<&'p str>> {
    let separator = format!("\n{mark} ");
    let mut rest = printed;
    std::iter::from_fn(move || {
        let (text, after) = rest.split_once(separator.as_str())?;
        let (code, after) = after.split_once('\n')?;
        rest = after;
        Some((code == "0" && !text.is_empty()).then_some(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustfmt_printed_is_told_from_what_it_could_not_read() {
        let printed = "fn a() {}\n\n@1 0\n\n@1 1\nfn b() {}\n\n@1 0\n";
        let texts: Vec<_> = printed_texts(printed, "@1").collect();
        assert_eq!(texts, [Some("fn a() {}\n"), None, Some("fn b() {}\n")]);
    }
}
