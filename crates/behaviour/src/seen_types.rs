//! The types that tests and docs put in place of parameters: what keeps a bound of the library's own, where its impls are made
//! by macros or have parameters themselves. They are searched for in texts, since docs are no code.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::library::{Library, PRIMITIVE};

/// More of them are not kept for a trait.
const MOST: usize = 3;
/// A longer one is not looked at, bytes.
const LONGEST: usize = 80;
/// The names that everybody can write, beside those of the language.
const NAMES: [&str; 10] = ["String", "Box", "Vec", "Option", "Result", "std", "static", "string", "vec", "boxed"];

/// By the names of the library's own traits, the types that stand for parameters which must have them.
pub(crate) fn seen_types<'t>(
    library: &Library,
    texts: impl Iterator<Item = Cow<'t, str>>,
) -> BTreeMap<String, Vec<String>> {
    let is_own = |name: &str| library.modules.values().any(|module| module.traits.iter().any(|(own, _)| own == name));
    // The types that have such a parameter, and what its place asks for.
    let mut wanted: Vec<(&str, usize, Vec<String>)> = Vec::new();
    for (_, ty) in library.types() {
        for (at, param) in ty.params.iter().enumerate() {
            let bounds = param.bounds.split('+').filter_map(|bound| Some(bound.rsplit("::").next()?.trim().to_owned()));
            let own: Vec<String> = bounds.filter(|name| is_own(name)).collect();
            if !own.is_empty() {
                wanted.push((&ty.name, at, own));
            }
        }
    }
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if wanted.is_empty() {
        return seen;
    }
    for text in texts {
        for (name, at, traits) in &wanted {
            for (found, _) in text.match_indices(name) {
                let rest = text.get(found + name.len()..).unwrap_or_default();
                let Some(rest) = rest.strip_prefix("::<").or_else(|| rest.strip_prefix('<')) else { continue };
                let Some(argument) = arguments(rest).into_iter().nth(*at).filter(|one| is_known(one)) else { continue };
                for name in traits {
                    let known = seen.entry(name.clone()).or_default();
                    if known.len() < MOST && !known.contains(&argument) {
                        known.push(argument.clone());
                    }
                }
            }
        }
    }
    seen
}

/// What stands between angle brackets, without lifetimes, up to the one that closes them.
fn arguments(rest: &str) -> Vec<String> {
    let (mut all, mut one, mut depth) = (Vec::new(), String::new(), 0_i32);
    for sign in rest.chars().take(LONGEST) {
        match sign {
            '<' | '[' | '(' => depth += 1,
            '>' if depth == 0 => {
                all.push(one);
                all.retain(|one| !one.trim().starts_with('\''));
                return all.iter().map(|one| one.trim().to_owned()).collect();
            }
            '>' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                all.push(std::mem::take(&mut one));
                continue;
            }
            _ => {}
        }
        one.push(sign);
    }
    Vec::new()
}

/// Whether a type is made of names that everybody can write.
fn is_known(ty: &str) -> bool {
    let mut words = ty.split(|one: char| !one.is_alphanumeric() && one != '_').filter(|word| !word.is_empty());
    let is_word = |word: &str| {
        NAMES.contains(&word) || PRIMITIVE.contains(&word) || word.starts_with(|one: char| one.is_ascii_digit())
    };
    !ty.is_empty() && words.all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_parameters_with_own_bounds_is_found() {
        let text = "pub trait Array { type Item; } pub struct Small<A: Array>(A); pub struct Plain<T: Clone>(T);";
        let library = Library::read("src/lib.rs", &|path| (path == "src/lib.rs").then(|| text.to_owned()));
        let tests = [
            "/// `Small<[T; N]>`\nlet a: Small<[u8; 4]> = x; let b = Small::<[Box<u32>; 2]>::new(); Small<[u8; 4]>",
            "Plain<u8> Small<[_; 3]> Small<Own> Small<[String;1]> Small<[i8; 9]> Small<",
        ];
        let seen = seen_types(&library, tests.into_iter().map(Cow::from));
        let all: Vec<&str> = seen.get("Array").expect("it is an own trait").iter().map(String::as_str).collect();
        assert_eq!(all, ["[u8; 4]", "[Box<u32>; 2]", "[String;1]"]);
        assert_eq!(seen.len(), 1);
    }
}
