//! How a function is called from outside: by which path, with which types in place of its parameters, and in which of its
//! arguments something can be seen afterwards.

use std::collections::BTreeMap;

use crate::concrete::{Concrete, Each, assignments, of_input, of_param, types};
use crate::items::Module;
use crate::library::{Library, bare, words};
use crate::shared::{changes_when_shared, may_block};
use crate::signatures::Function;

/// More types in place of the parameters of a function are not tried.
pub(crate) const WAYS: usize = 3;
/// More arguments than the program knows to make.
const ARGUMENTS: usize = 8;
/// What a library keeps for itself is asked for by so many functions.
const KEPT: usize = 6;

/// A way to name and call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// An expression that can be called.
    pub callee: String,
    /// For each argument, whether something may be seen in it after the call.
    pub changed: Vec<bool>,
    /// Whether it needs a number in place of a caller's function.
    pub answers: bool,
    /// Whether what comes of it has to be waited for.
    pub waits: bool,
    /// The types that stand for parameters.
    pub known: BTreeMap<String, String>,
}

impl Call {
    /// The code that calls `f` with these arguments, and gives up as written where what comes of it does not come soon.
    pub fn written(&self, given: &str, otherwise: &str) -> String {
        if self.waits {
            format!("match {WAIT}f({given})) {{ Some(r) => r, None => {otherwise} }}")
        } else {
            format!("f({given})")
        }
    }
}

/// How code begins that waits for something.
pub(crate) const WAIT: &str = "waiting::wait(";

/// The name of a function for people.
pub(crate) fn shown(library: &Library, module: &Module, function: &Function, name: &str) -> String {
    let of = |code: &str| library.outside(&module.path, code, &BTreeMap::new()).replace(' ', "");
    let path = match &function.owner {
        Some(owner) => match owner.trait_.as_deref().filter(|_| !owner.default) {
            Some(trait_) => format!("<{} as {}>::{}", of(&owner.of), of(trait_), function.name),
            None => format!("{}::{}", of(&owner.of), function.name),
        },
        None => of(&function.name),
    };
    path.replace(&format!("{}::", crate::library::NAME), &format!("{name}::"))
}

/// The bodies of functions of the program that drive this one, the most likely first.
///
/// # Errors
/// Why it cannot be called.
pub(crate) fn entries(
    library: &Library,
    module: &Module,
    function: &Function,
    name: &str,
) -> Result<Vec<String>, String> {
    // What is behind a shared reference may be another one after the call as well.
    let is_shared = function.inputs.first().is_some_and(|input| input.receiver && input.ty.starts_with('&'));
    let owner = function.owner.as_ref().and_then(|owner| library.declared(&module.path, bare(&owner.of), 8));
    let may_change = is_shared && owner.is_some_and(|place| changes_when_shared(library, &place));
    let kept = kept(library, function);
    let body = |call: &Call| {
        let count = call.changed.len();
        let all: Vec<String> = (0..count).map(|at| format!("a{at}")).collect();
        let names = if count == 1 { "(a0,)".to_owned() } else { format!("({})", all.join(", ")) };
        let says: Vec<String> = all.iter().map(|name| say(&format!("&{name}"))).collect();
        let given = call.changed.iter().zip(&all).map(|(changed, name)| match changed {
            true => format!("&mut *{name}"),
            false => name.clone(),
        });
        let seen = call.changed.iter().zip(&all).enumerate();
        let seen = seen.filter(|(at, (changed, _))| **changed || (*at == 0 && may_change)).map(|(_, seen)| seen);
        let seen: String = seen.map(|(_, name)| format!("\n    s.tell({});", say(&format!("&{name}")))).collect();
        let number = if call.answers { "    let k = c.below(0);\n" } else { "" };
        format!(
            "{number}    let f = {};\n    let {names} = drive::arguments_{count}(&f, c);\n    s.input({:?}, &[{}]);\n    \
             let r = {};\n    {};{seen}{kept}",
            call.callee,
            name,
            says.join(", "),
            call.written(&given.collect::<Vec<_>>().join(", "), r#"return s.tell("nothing yet".to_owned())"#),
            tell("r")
        )
    };
    let calls = calls(library, module, function)?;
    Ok(calls.iter().map(body).collect())
}

/// Code that asks for what a library keeps for itself, behind a function that gives nothing back and changes nothing that it is
/// given.
fn kept(library: &Library, function: &Function) -> String {
    let gives_nothing = function.output.is_empty() || function.output.contains("Result < ()");
    let is_silent = gives_nothing && !function.inputs.iter().any(|input| input.receiver || input.by_mut);
    let tells = |(module, other): (&Module, &Function)| {
        let gives = !matches!(other.output.as_str(), "" | "!" | "()");
        let asks = gives && other.inputs.is_empty() && other.params.is_empty() && other.owner.is_none() && other.public;
        if !asks || other.special.is_some() || other.is_async || may_block(other) {
            return None;
        }
        let path = library.public(&(module.path.clone(), other.name.clone()))?;
        Some(format!("\n    s.look({:?}, |s| {{ {}; }});", other.name, tell(&format!("{path}()"))))
    };
    library.functions().filter(|_| is_silent).filter_map(tells).take(KEPT).collect()
}

/// The ways to call a function.
///
/// # Errors
/// Why there is none.
pub(crate) fn calls(library: &Library, module: &Module, function: &Function) -> Result<Vec<Call>, String> {
    if let Some(why) = function.special {
        return Err(why.to_owned());
    }
    if function.inputs.len() > ARGUMENTS {
        return Err(format!("it takes more than {ARGUMENTS} arguments"));
    }
    let owner_params = function.owner.as_ref().map(|owner| owner.params.as_slice()).unwrap_or_default();
    let mut params: Vec<_> = owner_params.iter().chain(&function.params).cloned().collect();
    for (name, bounds) in &function.asks {
        for param in params.iter_mut().filter(|param| param.name == *name && param.constant.is_none()) {
            param.bounds = format!("{} + {bounds}", param.bounds);
        }
    }
    let mut all: Vec<Call> = Vec::new();
    for assignment in assignments(library, &module.path, &params, WAYS) {
        for given in [Given::Back, Given::Away] {
            let call = call(library, module, function, &assignment, given)?;
            if all.iter().all(|other| (&other.callee, &other.changed) != (&call.callee, &call.changed)) {
                all.push(call);
            }
        }
    }
    Ok(all)
}

/// What becomes of what a function gives: where that may be a part of what it was lent, and arguments are made in its place, what
/// it leaves behind can be seen only without that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Back,
    Away,
}

fn call(
    library: &Library,
    module: &Module,
    function: &Function,
    assignment: &BTreeMap<String, Concrete>,
    result: Given,
) -> Result<Call, String> {
    let known = types(assignment);
    let outside = |code: &str| library.outside(&module.path, code, &known);
    let mut path = match &function.owner {
        None => {
            let place = (module.path.clone(), function.name.clone());
            library.public(&place).ok_or("nobody outside can name it")?.to_owned()
        }
        Some(owner) => {
            let of = if owner.default { implementor(library, module, &owner.of)? } else { outside(&owner.of) };
            if !owner.default && is_hidden(library, module, &owner.of) {
                return Err("nobody outside can name its type".to_owned());
            }
            match &owner.trait_ {
                None => format!("<{of}>::{}", function.name),
                Some(trait_) => {
                    if let Some(callee) = well_known(trait_, &of, &function.name) {
                        let count = callee.split('|').nth(1).map_or(0, |head| head.matches(": ").count());
                        return Ok(Call { callee, changed: vec![false; count], answers: false, waits: false, known });
                    }
                    if matches!(function.name.as_str(), "drop" | "fmt" | "serialize" | "deserialize") {
                        return Err(format!("`{}` is called by others only", function.name));
                    }
                    format!("<{of} as {}>::{}", outside(trait_), function.name)
                }
            }
        }
    };
    if !function.params.is_empty() {
        let filled = function.params.iter().map(|param| match assignment.get(&param.name) {
            Some(Concrete::Is(ty)) => ty.clone(),
            _ => "_".to_owned(),
        });
        path = format!("{path}::<{}>", filled.collect::<Vec<_>>().join(", "));
    }
    let waits = function.is_async;
    let answers: Vec<Option<(usize, Each)>> = function
        .inputs
        .iter()
        .map(|input| {
            let bare = input.ty.trim_start_matches("& mut ").trim_start_matches("& ");
            match assignment.get(bare).cloned().or_else(|| of_input(library, &module.path, input)) {
                Some(Concrete::Answers(count, each)) => Some((count, each)),
                _ => None,
            }
        })
        .collect();
    let by_impl = |at: usize| function.inputs.get(at).and_then(|input| of_input(library, &module.path, input));
    if answers.iter().all(Option::is_none) && (0..answers.len()).all(|at| by_impl(at).is_none()) {
        let changed = function.inputs.iter().map(|input| input.by_mut).collect();
        return Ok(Call { callee: path, changed, answers: false, waits, known });
    }
    // What the caller would give is given here, so that only the rest is made.
    let (mut head, mut given, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    let borrows = borrows(library, module, &function.output);
    for (at, input) in function.inputs.iter().enumerate() {
        match (answers.get(at).copied().flatten(), by_impl(at)) {
            (Some((count, each)), _) => {
                given.push(format!("{}{}", if input.by_mut { "&mut " } else { "" }, answer(count, each)));
            }
            (None, Some(Concrete::Is(ty))) => {
                head.push(format!("a{at}: {ty}"));
                given.push(format!("a{at}"));
                changed.push(false);
            }
            (None, _) => {
                // What is given for a moment only can be looked at afterwards, and its type has to be said for that.
                let core = match &function.owner {
                    Some(owner) if input.receiver && !owner.default => Some(owner.of.as_str()),
                    _ if input.receiver => None,
                    _ => input.ty.strip_prefix("& mut ").filter(|core| !core.starts_with("dyn ")),
                };
                let lent = core
                    .filter(|_| input.by_mut && (!borrows || result == Given::Away))
                    .map(|core| format!("&mut {}", outside(core)));
                changed.push(lent.is_some());
                head.push(format!("a{at}: {}", lent.as_deref().unwrap_or("_")));
                given.push(format!("a{at}"));
            }
        }
    }
    let call = format!("{path}({})", given.join(", "));
    let is_lost = borrows && changed.contains(&true);
    let callee = format!("|{}| {}", head.join(", "), if is_lost { format!("{{ let _ = {call}; }}") } else { call });
    Ok(Call { callee, changed, answers: answers.iter().any(Option::is_some), waits, known })
}

/// Whether what a function gives back may be a part of what it was lent.
fn borrows(library: &Library, module: &Module, output: &str) -> bool {
    let has_lifetimes = |word: &str| {
        let place = library.declared(&module.path, word, 8);
        place.is_some_and(|(at, name)| {
            let types = library.modules.get(&at).map(|module| module.types.as_slice()).unwrap_or_default();
            types.iter().any(|ty| ty.name == name && ty.lifetimes > 0)
        })
    };
    output.contains(['&', '\'']) || words(output).into_iter().any(|word| word == "impl" || has_lifetimes(word))
}

/// What a value is, as text, by the best way that its type has. No macro, since an error in what one makes is not where it is
/// called.
pub(crate) fn say(value: &str) -> String {
    format!("(&&&&drive::Shown({value})).say()")
}

/// Writes down what came of a call.
pub(crate) fn tell(value: &str) -> String {
    format!("(&&&&&&drive::Came::new({value})).tell(s)")
}

/// A function that says the same to the same.
fn answer(count: usize, each: Each) -> String {
    let function = if each == Each::Counts { "asked" } else { "answer" };
    let names: Vec<String> = (0..count).map(|at| format!("x{at}: _")).collect();
    let says: Vec<String> = (0..count).map(|at| say(&format!("&x{at}"))).collect();
    format!("|{}| drive::{function}([{}].concat(), k)", names.join(", "), {
        let mut all = vec!["String::new()".to_owned()];
        all.extend(says);
        all.join(", ")
    })
}

/// Whether a type is declared in the library, and nobody outside can name it.
fn is_hidden(library: &Library, module: &Module, of: &str) -> bool {
    let name = bare(of);
    let declared = library.declared(&module.path, name, 8);
    declared.is_some_and(|place| library.public(&place).is_none())
}

/// A type that has a trait, to call what the trait does by default.
fn implementor(library: &Library, module: &Module, trait_: &str) -> Result<String, String> {
    let place = library.declared(&module.path, trait_, 8);
    let found = library.impls().find(|(at, owner)| {
        let name = owner.trait_.as_deref().map(bare);
        owner.params.is_empty()
            && name.is_some_and(|name| {
                let last = name.rsplit("::").next().unwrap_or(name).trim();
                last == trait_ && library.declared(&at.path, last, 8) == place
            })
            && !is_hidden(library, at, &owner.of)
    });
    if let Some((at, owner)) = found {
        return Ok(library.outside(&at.path, &owner.of, &BTreeMap::new()));
    }
    // An impl for all that have another trait: one of those.
    let last = |path: &str| path.rsplit("::").next().map(|last| bare(last).to_owned());
    let for_all = library.impls().find_map(|(at, owner)| {
        let param = owner.params.iter().find(|param| param.name == owner.of && param.constant.is_none())?;
        (owner.trait_.as_deref().and_then(last).as_deref() == Some(trait_)).then_some((at, param))
    });
    let standing = for_all.into_iter().flat_map(|(at, param)| of_param(library, &at.path, param));
    let mut types = standing.filter_map(|concrete| match concrete {
        Concrete::Is(ty) => Some(ty),
        Concrete::Answers(..) => None,
    });
    types.next().ok_or_else(|| "nothing that has the trait can be named".to_owned())
}

/// How what belongs to a trait that everybody knows is driven, where calling it by its name is not possible.
fn well_known(trait_: &str, of: &str, function: &str) -> Option<String> {
    let last = trait_.split('<').next().unwrap_or(trait_).rsplit("::").next().unwrap_or(trait_).trim();
    let by_ref = |body: &str| Some(format!("|a0: &'static {of}| {body}"));
    let by_refs = |body: &str| Some(format!("|a0: &'static {of}, a1: &'static {of}| {body}"));
    let plain = !trait_.contains('<');
    let by_value = |body: &str| Some(format!("|a0: {of}| {body}"));
    match (last, function) {
        ("Display", _) => by_ref(r#"format!("{a0}, {a0:>9}, {a0:#}, {a0:.2}")"#),
        ("Debug", _) => by_ref(r#"format!("{a0:?}, {a0:#?}")"#),
        ("LowerHex", _) => by_ref(r#"format!("{a0:x}, {a0:#010x}")"#),
        ("UpperHex", _) => by_ref(r#"format!("{a0:X}, {a0:#010X}")"#),
        ("Binary", _) => by_ref(r#"format!("{a0:b}, {a0:#010b}")"#),
        ("Octal", _) => by_ref(r#"format!("{a0:o}, {a0:#010o}")"#),
        ("LowerExp", _) => by_ref(r#"format!("{a0:e}")"#),
        ("Hash", _) => by_ref("drive::digest_of(a0)"),
        // What a trait does by default beside what is written, others may write as well.
        ("Iterator", _) => Some(format!("|a0: {of}, a1: u8, a2: u8| drive::iterate(a0, a1, a2)")),
        ("DoubleEndedIterator", _) => Some(format!("|a0: {of}, a1: u8, a2: u8| drive::iterate_back(a0, a1, a2)")),
        ("PartialEq", _) if plain => by_refs("(a0 == a1, a0 != a1)"),
        ("PartialOrd", _) if plain => {
            by_refs("(PartialOrd::partial_cmp(a0, a1), a0 < a1, a0 <= a1, a0 > a1, a0 >= a1)")
        }
        ("Clone", _) => Some(format!(
            "|a0: &'static {of}, a1: {of}| {{ let mut other = a1; other.clone_from(a0); (Clone::clone(a0), other) }}"
        )),
        ("Read", "read") => by_value(
            "{ let mut all = Vec::new(); let done = std::io::Read::read_to_end(&mut std::io::Read::take(a0, 4096), &mut all); \
             (done.is_ok(), all) }",
        ),
        _ => None,
    }
}
