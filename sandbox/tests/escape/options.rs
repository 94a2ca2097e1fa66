//! What the suite is asked for, in its own words and in those that `cargo test` passes to every test program.

use crate::support::Arrangement;

/// Words of the usual harness that a value follows.
const WITH_VALUE: [&str; 6] = ["--test-threads", "--format", "--color", "--logfile", "--shuffle-seed", "-Z"];

#[derive(Default)]
pub struct Options {
    pub arrangement: Option<Arrangement>,
    pub list: bool,
    filters: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
    /// Only what is ignored is asked for, and nothing is.
    none: bool,
}

impl Options {
    pub fn read(args: &[String]) -> Self {
        let mut options = Self::default();
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (arg, None),
            };
            let mut value = || value.or_else(|| args.next()).unwrap_or_default().to_owned();
            match name {
                "--arrangement" => {
                    let name = value();
                    let known = || panic!("{name:?} is no arrangement; there are namespaces and restricted");
                    options.arrangement = Some(crate::support::named(&name).unwrap_or_else(known));
                }
                "--filter" => options.filters.push(value()),
                "--skip" => options.skipped.push(value()),
                "--exact" => options.exact = true,
                "--list" => options.list = true,
                "--ignored" => options.none = true,
                name if WITH_VALUE.contains(&name) => drop(value()),
                name if name.starts_with('-') => {}
                name => options.filters.push(name.to_owned()),
            }
        }
        options
    }

    /// Whether a probe is asked for.
    pub fn wants(&self, name: &str) -> bool {
        let fits = |text: &String| if self.exact { name == text } else { name.contains(text.as_str()) };
        !self.none && !self.skipped.iter().any(fits) && (self.filters.is_empty() || self.filters.iter().any(fits))
    }
}
