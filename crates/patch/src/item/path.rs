//! The path of an item as text, such as `crate::tax::Tax::apply`, taken apart.

use crate::error::ApplyError;

/// A path whose first part says which package, and the rest which item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemPath {
    /// The package: its folder or its crate name; `None` when the path began with `crate`.
    pub(super) package: Option<String>,
    /// Modules, then the item, then perhaps a member of it. Never empty.
    pub(super) segments: Vec<Segment>,
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// A name, without generic arguments.
    Name(String),
    /// `<Type as Trait>`, each as written but without white space.
    Cast { ty: String, trait_: String },
}

impl ItemPath {
    pub(super) fn parse(text: &str) -> Result<Self, ApplyError> {
        let bad = |why: &str| ApplyError::ItemPath { item: crate::shown::shown(text, 200), why: why.to_owned() };
        if text.len() > 1000 {
            return Err(bad("is longer than 1000 bytes"));
        }
        let mut parts = split(text.trim()).ok_or_else(|| bad("has brackets that do not match"))?.into_iter().peekable();
        let package = match parts.next() {
            Some("crate") => None,
            Some("self" | "super") => return Err(bad("is relative; begin it with `crate::`")),
            Some(first) if !first.is_empty() && !first.starts_with('<') => Some(first.to_owned()),
            _ => return Err(bad("must begin with `crate::`, or with the package's folder or crate name and `::`")),
        };
        if package.is_some() && parts.peek() == Some(&"crate") {
            parts.next();
        }
        let segments: Option<Vec<Segment>> = parts.map(segment).collect();
        match segments {
            Some(segments) if !segments.is_empty() => Ok(Self { package, segments }),
            Some(_) => Err(bad("names no item; write it like `crate::module::function`")),
            None => Err(bad("has a part that is neither a name nor `<Type as Trait>`")),
        }
    }
}

fn segment(part: &str) -> Option<Segment> {
    if let Some(inner) = part.strip_prefix('<').and_then(|part| part.strip_suffix('>')) {
        let (ty, trait_) = inner.split_once(" as ")?;
        return Some(Segment::Cast { ty: squeezed(ty), trait_: squeezed(trait_) });
    }
    let name = part.split('<').next().unwrap_or(part).trim();
    let plain = name.strip_prefix("r#").unwrap_or(name);
    let valid = plain.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && plain.chars().all(|c| c == '_' || c.is_alphanumeric());
    valid.then(|| Segment::Name(name.to_owned()))
}

/// The text without white space, so that spellings can be compared.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Parts between `::` that stand outside of brackets; `None` when brackets do not match.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0usize);
    let mut last = ' ';
    let mut skip = false;
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if last == '-' => {}
            '>' | ')' | ']' => depth = depth.checked_sub(1)?,
            ':' if depth == 0 && last == ':' && !skip => {
                parts.push(text.get(start..at - 1)?);
                start = at + 1;
                skip = true;
                last = c;
                continue;
            }
            _ => {}
        }
        skip = false;
        last = c;
    }
    parts.push(text.get(start..)?);
    // A turbofish such as `Vec::<u8>::new` leaves a part of arguments alone.
    parts.retain(|part| !part.starts_with('<') || part.contains(" as "));
    (depth == 0).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> (Option<String>, Vec<String>) {
        let path = ItemPath::parse(text).unwrap();
        let shown = path.segments.into_iter().map(|segment| match segment {
            Segment::Name(name) => name,
            Segment::Cast { ty, trait_ } => format!("<{ty} as {trait_}>"),
        });
        (path.package, shown.collect())
    }

    #[test]
    fn paths_of_every_form_are_taken_apart() {
        assert_eq!(names("crate::tax::rate"), (None, vec!["tax".into(), "rate".into()]));
        assert_eq!(
            names("crate::m::<Vec< u8> as From<a::B>>::from"),
            (None, vec!["m".into(), "<Vec<u8> as From<a::B>>".into(), "from".into()])
        );
        assert_eq!(
            names("crates/ledger::crate::T<X>::f"),
            (Some("crates/ledger".into()), vec!["T".into(), "f".into()])
        );
        assert_eq!(names("ledger::f"), (Some("ledger".into()), vec!["f".into()]));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", "crate", "crate::", "self::x", "crate::a b", "crate::<X>>::y", "::a", "<A as B>::c"] {
            assert!(ItemPath::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z<>:( ü]{0,30}|\\PC{0,30}") {
            let _ = ItemPath::parse(&text);
        }
    }
}
