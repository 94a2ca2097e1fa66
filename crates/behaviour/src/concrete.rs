//! What stands for a generic parameter when something is called: a type that keeps its bounds, or a function in place of a
//! caller's. Bounds are text; what the compiler then refuses is left out.

use std::collections::BTreeMap;

use crate::library::Library;
use crate::signatures::{Input, Param};

/// What stands for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Concrete {
    /// A type or a constant, as others write it.
    Is(String),
    /// A function that takes that many values, and that may change something with each call or not.
    Answers(usize, Each),
}

/// Whether it matters how often a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Each {
    Counts,
    IsAlike,
}

/// The ways in which parameters may be filled, the most likely first; each a whole assignment.
pub(crate) fn assignments(
    library: &Library,
    at: &[String],
    params: &[Param],
    ways: usize,
) -> Vec<BTreeMap<String, Concrete>> {
    let choices: Vec<(String, Vec<Concrete>)> =
        params.iter().map(|param| (param.name.clone(), of_param(library, at, param))).collect();
    let most = choices.iter().map(|(_, all)| all.len()).max().unwrap_or(1).min(ways);
    let nth = |way: usize| {
        let chosen = choices.iter().filter_map(|(name, all)| {
            let one = all.get(way).or_else(|| all.last())?;
            Some((name.clone(), one.clone()))
        });
        chosen.collect::<BTreeMap<_, _>>()
    };
    (0..most.max(1)).map(nth).map(|assignment| resolved(&assignment)).collect()
}

/// The types among an assignment.
pub(crate) fn types(assignment: &BTreeMap<String, Concrete>) -> BTreeMap<String, String> {
    let types = assignment.iter().filter_map(|(name, concrete)| match concrete {
        Concrete::Is(ty) => Some((name.clone(), ty.clone())),
        Concrete::Answers(..) => None,
    });
    types.collect()
}

/// What stands for an argument that is written `impl Bounds`; none for any other.
pub(crate) fn of_input(library: &Library, at: &[String], input: &Input) -> Option<Concrete> {
    let bounds = input.ty.strip_prefix("impl ")?;
    let param = Param { name: String::new(), constant: None, bounds: bounds.to_owned(), items: None };
    of_param(library, at, &param).into_iter().next()
}

/// What libraries of numbers ask for.
const NUMBERS: &[&str] = &[
    "Bounded",
    "CheckedAdd",
    "CheckedMul",
    "CheckedSub",
    "FromPrimitive",
    "Integer",
    "Num",
    "NumAssign",
    "NumCast",
    "One",
    "PrimInt",
    "Signed",
    "ToPrimitive",
    "Unsigned",
    "Zero",
];

/// What may stand for a parameter whose bounds are written in a module.
pub(crate) fn of_param(library: &Library, at: &[String], param: &Param) -> Vec<Concrete> {
    let is = |all: &[&str]| all.iter().map(|ty| Concrete::Is((*ty).to_owned())).collect::<Vec<_>>();
    if let Some(constant) = &param.constant {
        return match constant.as_str() {
            "bool" => is(&["true", "false"]),
            "char" => is(&["'a'"]),
            _ => is(&["4", "1", "6"]),
        };
    }
    let bounds = param.bounds.replace(' ', "");
    let unqualified = unqualified(&bounds);
    let has = |what: &str| bounds.contains(what) || unqualified.contains(what);
    if let Some(arity) = arity(&bounds) {
        let each = if has("FnMut(") { Each::Counts } else { Each::IsAlike };
        return vec![Concrete::Answers(arity, each)];
    }
    if has("Iterator<Item=") {
        let item = param.bounds.split_once("Item =").map(|(_, rest)| balanced(rest)).unwrap_or_default();
        // What belongs to a parameter follows from the rest.
        let item = match item.trim().split_once(" :: ") {
            Some((of, _)) if of.starts_with(char::is_uppercase) && !of.contains(' ') => "_".to_owned(),
            _ => library.outside(at, &written(item.trim()), &BTreeMap::new()),
        };
        return vec![Concrete::Is(format!("std::vec::IntoIter<{item}>"))];
    }
    if has("Iterator")
        && let Some(items) = &param.items
    {
        let item = Param { name: String::new(), constant: None, bounds: items.clone(), items: None };
        let types = of_param(library, at, &item).into_iter().filter_map(|one| match one {
            Concrete::Is(ty) => Some(Concrete::Is(format!("std::vec::IntoIter<{ty}>"))),
            Concrete::Answers(..) => None,
        });
        return types.collect();
    }
    if let Some((_, of)) = param.bounds.split_once("RangeBounds <") {
        let of = library.outside(at, balanced(of).trim(), &BTreeMap::new());
        // All ranges there are, and more: a start that is left out itself.
        return vec![Concrete::Is(format!("(std::ops::Bound<{of}>, std::ops::Bound<{of}>)"))];
    }
    let rules: [(&[&str], &[&str]); 12] = [
        (&["AsRef<[u8]>", "Into<Vec<u8>>", "Borrow<[u8]>"], &["Vec<u8>"]),
        (
            &["AsRef<str>", "Into<String>", "ToString", "Display", "Borrow<str>", "Into<Cow", "Into<Box<str"],
            &["&'static str"],
        ),
        (&["AsRef<OsStr>", "Into<OsString>"], &["std::ffi::OsString"]),
        (&["AsRef<Path>", "Into<PathBuf>"], &["&'static str"]),
        (&["fmt::Write"], &["String"]),
        (&["BufRead", "Read", "Seek"], &["std::io::Cursor<Vec<u8>>"]),
        (&["Write"], &["Vec<u8>"]),
        (&["BuildHasher"], &["std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>"]),
        (&["Hasher"], &["std::collections::hash_map::DefaultHasher"]),
        (&["Iterator"], &["std::vec::IntoIter<i64>"]),
        (&["Float", "Into<f64>", "From<f64>"], &["f64"]),
        (&["Error"], &["std::fmt::Error"]),
    ];
    if let Some((_, types)) = rules.iter().find(|(needles, _)| needles.iter().any(|needle| has(needle))) {
        return is(types);
    }
    // What is a value already can be made into one and lent.
    let converted = ["Into <", "Borrow <", "AsRef <"].iter().find_map(|name| {
        let of = balanced(param.bounds.split_once(name)?.1);
        let slice = of.trim().strip_prefix('[').and_then(|of| of.strip_suffix(']'));
        match slice {
            Some(of) => Some(format!("Vec<{}>", library.outside(at, of.trim(), &BTreeMap::new()))),
            None => (*name != "AsRef <").then(|| library.outside(at, of.trim(), &BTreeMap::new())),
        }
    });
    if let Some(ty) = converted {
        return vec![Concrete::Is(ty)];
    }
    let names = || bounds.split('+').filter_map(|bound| bound.split('<').next()?.rsplit("::").next());
    if names().any(|name| NUMBERS.contains(&name)) {
        return is(&["i64", "u8"]);
    }
    let mut own: Vec<Concrete> = Vec::new();
    for (module, owner) in library.impls() {
        let name = owner.trait_.as_deref().and_then(|path| path.split("::").last()).unwrap_or_default();
        let name: String = name.split('<').next().unwrap_or(name).trim().to_owned();
        let asked = bounds.split('+').any(|bound| bound.rsplit("::").next() == Some(&name));
        if asked
            && owner.params.is_empty()
            && library.modules.values().any(|m| m.traits.iter().any(|(t, _)| *t == name))
        {
            own.push(Concrete::Is(library.outside(&module.path, &owner.of, &BTreeMap::new())));
        }
    }
    if own.is_empty() {
        let names = bounds.split('+').filter_map(|bound| bound.rsplit("::").next());
        own.extend(names.filter_map(|name| library.seen.get(name)).flatten().cloned().map(Concrete::Is));
    }
    own.truncate(3);
    own.extend(is(&["i64", "String"]));
    own.extend(telling(&bounds).map(|ty| Concrete::Is(ty.to_owned())));
    own.extend(is(&["u8"]));
    own
}

/// Bounds without the paths that lead to what they name.
fn unqualified(bounds: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let mut all = bounds.chars().peekable();
    while let Some(one) = all.next() {
        if one.is_alphanumeric() || one == '_' {
            word.push(one);
        } else if one == ':' && all.peek() == Some(&':') {
            all.next();
            word.clear();
        } else {
            out += &std::mem::take(&mut word);
            out.push(one);
        }
    }
    out + &word
}

/// A type that tells more than a plain one, where the bounds allow it: numbers that are equal to none, or values that are equal
/// and yet can be told apart, so that it shows which of them was taken, and whose hashes are all the same.
fn telling(bounds: &str) -> Option<&'static str> {
    const FLOATS: [&str; 9] =
        ["PartialEq", "PartialOrd", "Clone", "Copy", "Debug", "Display", "Default", "Send", "Sync"];
    let names: Vec<&str> = bounds
        .split('+')
        .filter_map(|bound| bound.trim_start_matches('?').rsplit("::").next())
        .filter(|name| !name.is_empty() && !name.starts_with('\'') && *name != "Sized")
        .collect();
    let all = |of: &[&str]| names.iter().all(|name| of.contains(name));
    if names.contains(&"PartialOrd") && all(&FLOATS) {
        return Some("f64");
    }
    all(&[&FLOATS, ["Eq", "Ord", "Hash"].as_slice()].concat()).then_some("drive::Twin")
}

/// The number of values that a function among bounds takes.
fn arity(bounds: &str) -> Option<usize> {
    let rest = ["FnMut(", "FnOnce(", "Fn("].iter().find_map(|name| Some(bounds.split_once(name)?.1))?;
    let (mut depth, mut commas, mut any) = (0_i32, 0, false);
    for one in rest.chars() {
        match one {
            ')' if depth == 0 => break,
            '(' | '<' | '[' => depth += 1,
            ')' | '>' | ']' => depth -= 1,
            ',' if depth == 0 => commas += 1,
            _ => {}
        }
        any = true;
    }
    Some(if any { commas + 1 } else { 0 })
}

/// The beginning of a text up to where its brackets are closed.
fn balanced(text: &str) -> String {
    let mut depth = 0_i32;
    let end = text.char_indices().find(|(_, one)| {
        match one {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        depth < 0 || (depth == 0 && (*one == '+' || *one == ','))
    });
    text.get(..end.map_or(text.len(), |(at, _)| at)).unwrap_or(text).to_owned()
}

/// A type among bounds as it can be written where no `impl` may stand.
fn written(ty: &str) -> String {
    match ty.strip_prefix("impl ") {
        Some(bounds) if bounds.contains("str >") || bounds.contains("String") => "&'static str".to_owned(),
        Some(_) => "i64".to_owned(),
        None => ty.to_owned(),
    }
}

/// Parameters within what stands for others are filled as well.
fn resolved(assignment: &BTreeMap<String, Concrete>) -> BTreeMap<String, Concrete> {
    let fill = |text: &str| {
        let mut filled = text.to_owned();
        for (name, concrete) in assignment {
            if let Concrete::Is(ty) = concrete
                && ty != text
            {
                filled = whole_words(&filled, name, ty);
            }
        }
        filled
    };
    let all = assignment.iter().map(|(name, concrete)| match concrete {
        Concrete::Is(ty) => (name.clone(), Concrete::Is(fill(ty))),
        answers @ Concrete::Answers(..) => (name.clone(), answers.clone()),
    });
    all.collect()
}

fn whole_words(text: &str, name: &str, with: &str) -> String {
    let in_name = |one: char| one.is_alphanumeric() || one == '_';
    let mut out = String::new();
    let mut word = String::new();
    for one in text.chars().chain(['\0']) {
        if in_name(one) {
            word.push(one);
            continue;
        }
        out += if word == name { with } else { &word };
        word.clear();
        out.extend((one != '\0').then_some(one));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bounds: &str) -> Concrete {
        let param = Param { name: "T".to_owned(), constant: None, bounds: bounds.to_owned(), items: None };
        of_param(&Library::default(), &[], &param).remove(0)
    }

    #[test]
    fn bounds_choose_types() {
        let is = |ty: &str| Concrete::Is(ty.to_owned());
        assert_eq!(first("Into < String >"), is("&'static str"));
        assert_eq!(first("Ord + Copy"), is("i64"));
        let told = ["Eq+core::hash::Hash", "", "'static+Ord", "PartialOrd+Copy", "Into<u8>+Ord"].map(telling);
        let twin = Some("drive::Twin");
        assert_eq!(told, [twin, twin, twin, Some("f64"), None]);
        assert_eq!(first("io :: BufRead"), is("std::io::Cursor<Vec<u8>>"));
        assert_eq!(first("AsRef < std :: path :: Path >"), is("&'static str"));
        assert_eq!([first("Borrow < (K , V) >"), first("AsRef < [T] > + Clone")], [is("( K , V )"), is("Vec<T>")]);
        assert_eq!(first("RangeBounds < usize > + Clone"), is("(std::ops::Bound<usize>, std::ops::Bound<usize>)"));
        assert_eq!(first("FnMut (& str , Vec < (u8 , u8) >) -> bool"), Concrete::Answers(2, Each::Counts));
        assert_eq!(first("FnOnce () -> u8 + Send"), Concrete::Answers(0, Each::IsAlike));
        assert_eq!(first("IntoIterator < Item = A :: Item >"), is("std::vec::IntoIter<_>"));
        let param = Param {
            name: "I".to_owned(),
            constant: None,
            bounds: "IntoIterator".to_owned(),
            items: Some("AsRef < str >".to_owned()),
        };
        assert_eq!(of_param(&Library::default(), &[], &param), [is("std::vec::IntoIter<&'static str>")]);
        let items = first("IntoIterator < Item = (u8 , & 'a str) > + Clone");
        assert_eq!(items, is("std::vec::IntoIter<( u8 , & 'static str )>"));
    }

    #[test]
    fn parameters_of_parameters_are_filled() {
        let param = |name: &str, bounds: &str| Param {
            name: name.to_owned(),
            constant: None,
            bounds: bounds.to_owned(),
            items: None,
        };
        let all = assignments(&Library::default(), &[], &[param("I", "Iterator < Item = X >"), param("X", "Ord")], 2);
        assert_eq!(all[0].get("I"), Some(&Concrete::Is("std::vec::IntoIter<i64>".to_owned())));
        assert_eq!(all[1].get("X"), Some(&Concrete::Is("String".to_owned())));
    }
}
