//! How values of a library's types are made: by what is public of them, by functions that give them back, and then changed
//! by methods.

use std::fmt::Write as _;

use crate::aliases::expanded;
use crate::builders::{builders, is_itself, owner_of};
use crate::calls::{Call, WAIT, calls};
use crate::concrete::{Concrete, of_input, of_param};
use crate::constants::constants;
use crate::items::{Module, Shape};
use crate::library::{Library, NAME, Place, bare};
use crate::named::{Named, named};
use crate::program::{Unit, Writer, unless};
use crate::shared::{changes_when_shared, may_block};
use crate::signatures::{Function, Input};
use crate::unwrapping::{Unwrapping, unwrapping};

/// Values are not made in more ways, nor changed by more methods.
const ARMS: usize = 16;
/// Errors are taken from so many functions that fail.
const ERRORS: usize = 6;
pub(crate) const CHANGES: usize = 12;

/// The code that makes values of a type, or looks at them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    /// The type, as others write it.
    pub ty: String,
    /// Each way.
    pub ways: Vec<String>,
    /// How a value is changed after it was made.
    pub changes: Vec<String>,
    /// It is there to make something else of it.
    pub is_builder: bool,
}

/// The makers of all types that others can name.
pub(crate) fn makers(library: &Library) -> Vec<Maker> {
    let mut all = Vec::new();
    let builders = builders(library);
    for named in named(library) {
        let mut ways = written_down(&named);
        let is_alias = matches!(named.ty.shape, Shape::Closed)
            && library.modules.get(&named.place.0).is_some_and(|module| {
                module.others.iter().any(|(name, text)| *name == named.ty.name && text.contains("type "))
            });
        if is_alias {
            continue;
        }
        if named.ty.derives.contains("Default") {
            ways.push("Default::default()".to_owned());
        }
        let is_shared = changes_when_shared(library, &named.place);
        let (lent, constants) = constants(library, &named);
        let is_builder = |place: Place| builders.contains(&place);
        let (mut given, mut elsewhere, mut methods, mut changes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut errors = Vec::new();
        for (module, function) in library.functions().filter(|(_, function)| function.public) {
            let own = of_type(library, module, function, &named);
            let takes_self = function.inputs.first().is_some_and(|input| input.receiver);
            let is_trait = function.owner.as_ref().is_some_and(|owner| owner.trait_.is_some());
            let changed = own && takes_self && !is_trait;
            let in_place =
                |input: &Input| input.by_mut || (is_shared && input.ty.starts_with('&') && !may_block(function));
            if changed && function.inputs.first().is_some_and(in_place) {
                changes.extend(change(library, module, function, &named, Changing::InPlace));
            } else if changed && gives_itself(function, &named) {
                changes.extend(change(library, module, function, &named, Changing::ByValue));
            } else {
                if changed {
                    given.extend(
                        of_lent(library, module, function, &named, &lent).map(|way| (function.inputs.len(), way)),
                    );
                }
                for (made, is_error) in gives(library, module, function, &named) {
                    let way = format!("{{ {made} }}");
                    if is_error {
                        // What can be written down needs no failure.
                        if matches!(named.ty.shape, Shape::Closed) && !function.is_async {
                            errors.push((function.inputs.len(), way));
                        }
                        continue;
                    }
                    let builds = takes_self && !own && owner_of(library, module, function).is_some_and(is_builder);
                    match (takes_self, own) {
                        (true, _) if builds => given.push((function.inputs.len(), way)),
                        (true, _) => methods.push(way),
                        (false, true) => given.push((function.inputs.len(), way)),
                        (false, false) => elsewhere.push((function.inputs.len(), way)),
                    }
                }
            }
        }
        // What works something out, and gives it back as such a value, may take long: it is asked only where nothing else is
        // there to make one.
        if given.is_empty() && matches!(named.ty.shape, Shape::Closed) {
            given = elsewhere;
        }
        given.sort_by_key(|(inputs, _)| *inputs);
        ways.extend(constants);
        ways.extend(given.into_iter().map(|(_, way)| way));
        // What is said of real failures tells more than what is made by itself.
        errors.sort_by_key(|(inputs, _)| *inputs);
        ways.truncate(ARMS - ERRORS.min(errors.len()));
        ways.extend(errors.into_iter().map(|(_, way)| way).take(ERRORS));
        if ways.is_empty() {
            ways = methods;
        }
        ways.truncate(ARMS);
        // Of many, those that put something in.
        changes.sort_by_key(|change| !fills(change));
        let is_builder = is_builder(named.place.clone());
        changes.truncate(if is_builder { 2 * CHANGES } else { CHANGES });
        match ways.is_empty() {
            false => all.push(Maker { ty: named.name, ways, changes, is_builder }),
            true => all.extend(behind_references(library, &named)),
        }
    }
    all
}

/// What makes a reference to a type of which there are no values by themselves.
fn behind_references(library: &Library, named: &Named<'_>) -> Option<Maker> {
    let functions = library.functions().filter(|(_, function)| function.public);
    let gives = |(module, function): (&Module, &Function)| {
        let takes_self = function.inputs.first().is_some_and(|input| input.receiver);
        let core = function.output.strip_prefix('&')?.trim_start();
        let core = if core.starts_with('\'') { core.split_once(' ')?.1 } else { core };
        let own = of_type(library, module, function, named);
        let is_it =
            core == "Self" && own || library.declared(&module.path, bare(core), 8).as_ref() == Some(&named.place);
        if takes_self || !is_it || core.starts_with("mut ") {
            return None;
        }
        let call = calls(library, module, function).ok()?.into_iter().next()?;
        Some(format!("{{ {} }}", called(&call, "arguments", "", "")))
    };
    let ways: Vec<String> = functions.filter_map(gives).take(ARMS).collect();
    let ty = format!("&'static {}", named.name);
    (!ways.is_empty()).then_some(Maker { ty, ways, changes: Vec::new(), is_builder: false })
}

/// The ways to write a value down.
fn written_down(named: &Named<'_>) -> Vec<String> {
    match &named.ty.shape {
        Shape::Open(ways) => ways.iter().map(|way| format!("{}{}", named.path, way.replace('@', "c.draw()"))).collect(),
        Shape::Closed => Vec::new(),
    }
}

/// Whether a function belongs to a type.
pub(crate) fn of_type(library: &Library, module: &Module, function: &Function, named: &Named<'_>) -> bool {
    owner_of(library, module, function).as_ref() == Some(&named.place)
}

/// Code that gives back a value of the type by calling a function, with whatever it takes, and with a literal that it is known to
/// take, and whether the value is the function's error; none when the function gives something else.
fn gives(library: &Library, module: &Module, function: &Function, named: &Named<'_>) -> Vec<(String, bool)> {
    let Some((call, unwrap)) = giving(library, module, function, named) else { return Vec::new() };
    let text = match function.inputs.as_slice() {
        [only] if !only.receiver && !call.waits => literal_for(library, module, function, only),
        _ => None,
    };
    let literal = unwrap.is_taken.zip(text).map(|(is_taken, text)| {
        let (callee, unwrapped) = (&call.callee, &unwrap.text);
        format!("let f = {callee}; let text = c.literal(line!(), |text| f({text}){is_taken}); f({text}){unwrapped}")
    });
    let all = std::iter::once(called(&call, "arguments", "", &unwrap.text)).chain(literal);
    all.map(|way| (way, unwrap.is_error)).collect()
}

/// How `text`, a literal, is given where an argument is one.
fn literal_for(library: &Library, module: &Module, function: &Function, input: &Input) -> Option<&'static str> {
    let lends = |what: &str| input.ty.strip_prefix('&').is_some_and(|rest| !input.by_mut && rest.ends_with(what));
    match input.ty.as_str() {
        _ if lends(" str") => Some("text"),
        _ if lends(" [u8]") => Some("text.as_bytes()"),
        "String" => Some("text.to_owned()"),
        _ => {
            let param = function.params.iter().find(|param| param.name == input.ty);
            let named = param.and_then(|param| of_param(library, &module.path, param).into_iter().next());
            let concrete = named.or_else(|| of_input(library, &module.path, input));
            (concrete == Some(Concrete::Is("&'static str".to_owned()))).then_some("text")
        }
    }
}

/// The same for a method of values that are only lent.
fn of_lent<'w>(
    library: &Library,
    module: &Module,
    function: &Function,
    named: &Named<'_>,
    lent: &'w [String],
) -> impl Iterator<Item = String> + 'w {
    let takes = function.inputs.first().is_some_and(|input| input.ty.starts_with('&') && !lent.is_empty());
    let giving = takes.then(|| giving(library, module, function, named)).flatten();
    let giving = giving.filter(|(call, unwrap)| !call.waits && !call.answers && !unwrap.is_error);
    let way = |(call, unwrap): (Call, Unwrapping)| {
        lent.iter().map(move |path| format!("{{ {} }}", called(&call, "others", path, &unwrap.text)))
    };
    giving.into_iter().flat_map(way)
}

fn giving(library: &Library, module: &Module, function: &Function, named: &Named<'_>) -> Option<(Call, Unwrapping)> {
    let (place, output) = expanded(library, &module.path, &function.output);
    let is_own = |core: &str| core == "Self" && of_type(library, module, function, named);
    let is_it = |core: &str| is_own(core) || library.declared(&place, bare(core), 8).as_ref() == Some(&named.place);
    let unwrap = unwrapping(&output).into_iter().find(|unwrap| is_it(&unwrap.core))?;
    let is_self = is_own(&unwrap.core);
    let skipped = function.owner.as_ref().and_then(|owner| owner.trait_.as_deref()).is_some_and(|path| {
        let last = bare(path).rsplit("::").next().unwrap_or(path).trim();
        matches!(last, "Clone" | "Deserialize" | "ToOwned")
            || (last == "Default" && named.ty.derives.contains("Default"))
    });
    let same_shape = unwrap.core.matches(',').count() == named.name.matches(',').count() || is_self;
    if skipped || !same_shape {
        return None;
    }
    // What stands for the parameters of the type is what it gives a value for.
    let plain = |ty: &str| ty.replace(' ', "").replace("'static,", "").replace("<'static>", "");
    let fits = |call: &Call| {
        let (at, core) = match function.owner.as_ref().filter(|_| is_self) {
            Some(owner) => (&module.path, &owner.of),
            None => (&place, &unwrap.core),
        };
        let given = plain(&library.outside(at, core, &call.known));
        named.ty.params.is_empty() || given == plain(&named.name) || given.contains('_')
    };
    Some((calls(library, module, function).ok()?.into_iter().find(fits)?, unwrap))
}

/// How a method changes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changing {
    InPlace,
    /// It takes the value and gives another one back, as builders do.
    ByValue,
}

/// Whether a method takes a value and gives one of the same type back.
fn gives_itself(function: &Function, named: &Named<'_>) -> bool {
    let by_value = function.inputs.first().is_some_and(|input| !input.ty.starts_with('&'));
    by_value && is_itself(&function.output, &named.ty.name)
}

/// Code that changes `made` by a method.
fn change(library: &Library, module: &Module, function: &Function, named: &Named<'_>, how: Changing) -> Option<String> {
    if function.inputs.len() > 5 {
        return None;
    }
    let mut fitting = calls(library, module, function).ok()?.into_iter().filter(|call| {
        // The parameters of the type are those of the value.
        named.ty.params.is_empty() || call.callee.replace(' ', "").contains(&named.name.replace(' ', ""))
    });
    let first = fitting.next()?;
    let call = if first.changed.first() == Some(&true) { first } else { fitting.next().unwrap_or(first) };
    if how == Changing::InPlace {
        // What panics half-way is as if it had not been called.
        return Some(format!(
            "let kept = (&&drive::Kept(&made)).keep(); if !c.changes(|c| {{ let _ = {{ {} }}; }}) {{ made = kept.unwrap_or_else(|| \
             reject()); }}",
            called(&call, "others", if call.changed.first() == Some(&true) { "&mut made" } else { "&made" }, "")
        ));
    }
    if call.answers || call.waits {
        return None;
    }
    // What it takes cannot be given back when its arguments cannot be made, so these come first.
    let (names, given) = named_arguments(&call, "made");
    let (callee, count) = (&call.callee, call.changed.len());
    Some(format!(
        "let f = {callee}; if let Some({names}) = c.attempt(|c| drive::others_{count}(&f, c)) {{ made = f({given}); }}"
    ))
}

/// The names of the arguments behind the first, where that is known, as a pattern, and all of them as they are given.
fn named_arguments(call: &Call, first: &str) -> (String, String) {
    let skip = usize::from(!first.is_empty());
    let all: Vec<String> = (skip..call.changed.len()).map(|at| format!("a{at}")).collect();
    let names = if all.len() == 1 { format!("({},)", all.join("")) } else { format!("({})", all.join(", ")) };
    let given = std::iter::once(first).filter(|one| !one.is_empty()).chain(all.iter().map(String::as_str));
    (names, given.collect::<Vec<_>>().join(", "))
}

fn called(call: &Call, arguments: &str, first: &str, unwrap: &str) -> String {
    let (names, given) = named_arguments(call, first);
    let number = if call.answers { "let k = c.below(0); " } else { "" };
    let (callee, count) = (&call.callee, call.changed.len());
    let made = call.written(&given, "reject()");
    let made = if call.waits { format!("({made})") } else { made };
    format!("{number}let f = {callee}; let {names} = drive::{arguments}_{count}(&f, c); {made}{unwrap}")
}

impl Maker {
    /// Without what is no code, if anything is left then.
    pub fn readable(mut self, as_changes: bool) -> Option<Self> {
        let is_block = |text: &String| syn::parse_str::<syn::Block>(&format!("{{ {text} }}")).is_ok();
        self.ways.retain(|way| if as_changes { is_block(way) } else { syn::parse_str::<syn::Expr>(way).is_ok() });
        self.changes.retain(is_block);
        (!self.ways.is_empty() && syn::parse_str::<syn::Type>(&self.ty).is_ok()).then_some(self)
    }

    pub fn write_maker(&self, number: usize, out: &mut Writer) {
        let whole = out.begin(Unit::Maker(number, None));
        let (ty, change) = (&self.ty, self.ways.len());
        let _ = writeln!(
            out.text,
            "{}impl Draw for {ty} {{\nfn draw(c: &mut Choices) -> Self {{ c.deeper(|c| {{",
            whole.unless
        );
        let list = |from: usize, all: &[String], times: fn(&str) -> usize| {
            let each = all.iter().enumerate();
            let each = each.flat_map(|(at, way)| vec![format!("{}{at}", unless(out.next() + from + at)); times(way)]);
            each.collect::<Vec<_>>().join(", ")
        };
        // What puts something in is called more often: of what is empty, nothing else tells much.
        let (ways, changes) =
            (list(0, &self.ways, |_| 1), list(change, &self.changes, |way| if fills(way) { 3 } else { 1 }));
        let _ = writeln!(out.text, "let mut made: Self = c.retry(|c| match c.one_of(&[{ways}]) {{");
        for (at, way) in self.ways.iter().enumerate() {
            out.unit(Unit::Maker(number, Some(at)), &format!("{at} => {way},\n"));
        }
        let _ = writeln!(out.text, "_ => reject(),\n}});");
        let _ = writeln!(out.text, "let changes: &[usize] = &[{changes}];\nif !changes.is_empty() {{");
        let _ = writeln!(out.text, "for _ in 0..c.turns({}) {{ match c.one_of(changes) {{", self.is_builder);
        for (at, way) in self.changes.iter().enumerate() {
            out.unit(Unit::Maker(number, Some(change + at)), &format!("{at} => {{ {way} }}\n"));
        }
        let _ = writeln!(out.text, "_ => {{}}\n}} }}\n}}\nmade\n}}) }}\n}}");
        out.end(whole, self.ways.len());
    }
}

/// Whether a change is made by a method that puts something in, as far as its name tells.
fn fills(change: &str) -> bool {
    const NAMES: &[&str] =
        &["add", "insert", "push", "put", "append", "extend", "register", "enqueue", "store", "record"];
    let name = change.split_once(">::").map_or("", |(_, rest)| rest);
    NAMES.iter().any(|begin| name.starts_with(begin))
}

impl Maker {
    /// The same for a library that goes by another name.
    pub fn of_other(mut self, name: &str) -> Self {
        let other = |code: &mut String| *code = code.replace(&format!("{NAME}::"), &format!("::{name}::"));
        other(&mut self.ty);
        self.ways.iter_mut().chain(&mut self.changes).for_each(other);
        self
    }

    /// Whether something in it is waited for.
    pub fn waits(&self) -> bool {
        self.ways.iter().chain(&self.changes).any(|code| code.contains(WAIT))
    }
}

/// Names in what is written for a type, for tests.
#[cfg(test)]
pub(crate) fn ways_of<'m>(makers: &'m [Maker], ty: &str) -> Vec<&'m str> {
    makers.iter().filter(|maker| maker.ty == ty).flat_map(|maker| maker.ways.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_made_by_what_is_public_of_them() {
        let text = "pub struct Open { pub a: u8 } pub struct Shut(u8); impl Shut { pub fn new(a: u8) -> Option<Self> { None } \
                    pub fn add(&mut self, b: u8) {} } pub enum Either { One, Two(u8), Three { x: u8 } } struct Hidden;";
        let library = Library::read("lib.rs", &|path| (path == "lib.rs").then(|| text.to_owned()));
        let makers = makers(&library);
        assert_eq!(ways_of(&makers, "krate::Open"), ["krate::Open { a: c.draw() }"]);
        let either = ["krate::Either::One", "krate::Either::Two(c.draw())", "krate::Either::Three { x: c.draw() }"];
        assert_eq!(ways_of(&makers, "krate::Either"), either);
        assert_eq!(ways_of(&makers, "krate::Shut").len(), 1);
        assert!(makers.iter().all(|maker| !maker.ty.contains("Hidden")));
        let shut = makers.iter().find(|maker| maker.ty == "krate::Shut").expect("it is made");
        assert_eq!(shut.changes.len(), 1);
    }
}
