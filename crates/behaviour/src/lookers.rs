//! How values that cannot be printed are looked at: by what others see of them, by methods that take nothing, or what was given to the same input already,
//! such as the name under which something was put in.

use std::fmt::Write as _;

use crate::builders::is_itself;
use crate::calls::{WAIT, calls, tell};
use crate::library::{Library, PRIMITIVE, bare};
use crate::makers::{CHANGES, Maker, of_type};
use crate::named::{Named, named};
use crate::program::{Unit, Writer};
use crate::shared::may_block;
use crate::signatures::{Function, Input};

/// How often a method is asked that takes something.
const ASKED: u64 = 3;

/// The lookers of all types that others can name and that cannot be printed.
pub(crate) fn lookers(library: &Library) -> Vec<Maker> {
    let mut all = Vec::new();
    for named in named(library) {
        let printed = library.impls().any(|(module, owner)| {
            owner.trait_.as_deref().is_some_and(|path| path.ends_with("Debug"))
                && library.declared(&module.path, bare(&owner.of), 8).as_ref() == Some(&named.place)
        });
        if printed || named.ty.derives.contains("Debug") {
            continue;
        }
        let fields = named.ty.fields.iter().filter(|(.., public)| *public);
        let mut ways: Vec<(bool, String)> = fields
            .map(|(name, ..)| (false, format!("s.look({name:?}, |s| {{ {}; }});", tell(&format!("&self.{name}")))))
            .collect();
        for (module, function) in library.functions().filter(|(_, function)| function.public) {
            let is_trait = function.owner.as_ref().is_some_and(|owner| owner.trait_.is_some());
            // One of the same kind says nothing by itself.
            let is_plain = !function.output.is_empty()
                && !is_itself(&function.output, &named.ty.name)
                && !may_block(function)
                && function.special.is_none()
                && function.params.is_empty();
            if !is_trait && is_plain && of_type(library, module, function, &named) {
                ways.extend(way(&named, function, || {
                    Some(calls(library, module, function).ok()?.first()?.callee.clone())
                }));
            }
        }
        // What takes nothing says the most.
        ways.sort_by_key(|(takes, _)| *takes);
        ways.truncate(CHANGES);
        if !ways.is_empty() {
            let ways = ways.into_iter().map(|(_, way)| way).collect();
            all.push(Maker { ty: named.name, ways, changes: Vec::new(), is_builder: false });
        }
    }
    all
}

/// Code that looks at `self` by a method, and whether that takes something; none where it may change the value, or takes what
/// was not given.
fn way(named: &Named<'_>, function: &Function, callee: impl FnOnce() -> Option<String>) -> Option<(bool, String)> {
    let (receiver, rest) = function.inputs.split_first()?;
    if !receiver.receiver || !receiver.ty.starts_with('&') || receiver.by_mut {
        return None;
    }
    let name = &function.name;
    let told = |call: String| match function.is_async {
        true => format!("if let Some(r) = {WAIT}{call}) {{ {}; }}", tell("r")),
        false => format!("{};", tell(&call)),
    };
    match rest {
        [] => {
            Some((false, format!("s.look({name:?}, |s| {{ {} }});", told(format!("<{}>::{name}(self)", named.name)))))
        }
        [only] if was_given(only) => {
            let asked = format!(
                "let f = {}; let (a1,) = drive::others_2(&f, &mut c); {}",
                callee()?,
                told("f(self, a1)".to_owned())
            );
            let look = format!("s.look({name:?}, |s| {{ let mut c = drive::Choices::of_given(n); {asked} }});");
            Some((true, format!("for n in 0..{ASKED} {{ {look} }}")))
        }
        _ => None,
    }
}

/// Whether something of the kind is known from what was given before: a text or a number.
fn was_given(input: &Input) -> bool {
    let bare = input.ty.trim_start_matches('&').trim();
    let bare = if bare.starts_with('\'') { bare.split_once(' ').map_or("", |(_, rest)| rest) } else { bare };
    !input.by_mut && (bare == "String" || PRIMITIVE.contains(&bare))
}

impl Maker {
    /// Writes it as a looker.
    pub fn write_looker(&self, number: usize, out: &mut Writer) {
        let whole = out.begin(Unit::Looker(number, None));
        let _ = writeln!(out.text, "{}impl Look for {} {{\nfn look(&self, s: &mut Seen) {{", whole.unless, self.ty);
        for (at, way) in self.ways.iter().enumerate() {
            out.unit(Unit::Looker(number, Some(at)), &format!("{{ {way} }}\n"));
        }
        let _ = writeln!(out.text, "}}\n}}");
        out.end(whole, 0);
    }
}
