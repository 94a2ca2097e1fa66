//! Wrong versions that need a build of their own: what is worked out while compiling, or by the compiler itself, can ask no
//! switch. Constants, statics, discriminants, constant functions, and whatever stands in a crate of macros.

use std::collections::BTreeSet;
use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, Lit};

use crate::candidates::candidates;
use crate::functions::{functions, values};
use crate::operators::other_literal;
use kaizen_source::{Unreadable, with_files};

/// A text with one thing in it that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The function or value.
    pub of: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What it does, such as ``replaces `7` by `6` ``.
    pub what: String,
    /// The whole text.
    pub text: String,
}

/// Wrong versions of these functions and values of a text, `most` of each. Of a value those literals come first that are
/// not in `before`.
///
/// # Errors
/// When a text cannot be read.
pub fn versions(before: &str, after: &str, wanted: &BTreeSet<String>, most: usize) -> Result<Vec<Version>, Unreadable> {
    let found = with_files(&[before, after], |files| {
        let [old, new] = files.as_slice() else { return Vec::new() };
        let mut found: Vec<(String, u32, String, Range<usize>, String)> = Vec::new();
        for function in functions(new).into_iter().filter(|function| wanted.contains(&function.label)) {
            let all = candidates(after, &function);
            let step = (all.len() / most.max(1)).max(1);
            for candidate in all.into_iter().step_by(step).take(most) {
                found.push((function.label.clone(), candidate.line, candidate.what, candidate.place, candidate.alone));
            }
        }
        let known = values(old);
        for value in values(new).into_iter().filter(|value| wanted.contains(&value.label)) {
            let was = known.iter().find(|old| old.label == value.label).map(|old| literals(old.expression));
            let was: Vec<String> = was.unwrap_or_default().into_iter().map(|(text, ..)| text).collect();
            let mut all = literals(value.expression);
            all.sort_by_key(|(text, ..)| was.contains(text));
            for (text, place, line, other) in all.into_iter().take(most) {
                found.push((value.label.clone(), line, format!("replaces `{text}` by `{other}`"), place, other));
            }
        }
        found
    })?;
    let put = |(of, line, what, place, other): (String, u32, String, Range<usize>, String)| {
        let (head, tail) = (after.get(..place.start)?, after.get(place.end..)?);
        Some(Version { of, line, what, text: format!("{head}{other}{tail}") })
    };
    Ok(found.into_iter().filter_map(put).collect())
}

/// A text that no compiler takes where this function or value of it is compiled; none where there is no such.
///
/// # Errors
/// When the text cannot be read.
pub fn refusing(text: &str, label: &str) -> Result<Option<String>, Unreadable> {
    let place = with_files(&[text], |files| {
        let file = files.first()?;
        let value = values(file).into_iter().find(|value| value.label == label);
        let function = || functions(file).into_iter().find(|function| function.label == label);
        match value {
            Some(value) => Some(value.expression.span().byte_range()),
            None => function().map(|function| function.body.span().byte_range()),
        }
    })?;
    let put = |place: Range<usize>| {
        let (head, tail) = (text.get(..place.start)?, text.get(place.end..)?);
        Some(format!("{head}{{ ::core::compile_error!(\"it is compiled\") }}{tail}"))
    };
    Ok(place.and_then(put))
}

/// The literals of an expression that can be another one: as written, where, in which line, and the other one.
fn literals(expression: &Expr) -> Vec<(String, Range<usize>, u32, String)> {
    struct Literals(Vec<(String, Range<usize>, u32, String)>);
    impl<'a> Visit<'a> for Literals {
        fn visit_expr_lit(&mut self, literal: &'a syn::ExprLit) {
            // What is next to another number may be that other one already; what is far from it may be beyond what is looked at.
            let others: Vec<String> = match &literal.lit {
                Lit::Int(it) => {
                    let value = it.base10_parse::<u128>().ok();
                    let far = value.map(|value| if value >= 100 { value - 100 } else { value + 100 });
                    let near = value.and_then(|value| value.checked_add(1));
                    far.into_iter().chain(near).map(|other| format!("{other}{}", it.suffix())).collect()
                }
                other => other_literal(other).into_iter().collect(),
            };
            let (span, text) = (literal.span(), quote::quote!(#literal).to_string());
            let line = u32::try_from(span.start().line).unwrap_or(0);
            self.0.extend(others.into_iter().map(|other| (text.clone(), span.byte_range(), line, other)));
        }

        fn visit_expr_macro(&mut self, mac: &'a syn::ExprMacro) {
            let parser = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated;
            if let Ok(arguments) = mac.mac.parse_body_with(parser) {
                for argument in &arguments {
                    let mut inner = Literals(Vec::new());
                    visit::visit_expr(&mut inner, argument);
                    self.0.append(&mut inner.0);
                }
            }
        }
    }
    let mut literals = Literals(Vec::new());
    literals.visit_expr(expression);
    literals.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_can_be_made_to_be_refused() {
        let text = "mod m { #[cfg(unix)] const A: u8 = 1; enum E { B = 2 } impl E { const fn f(&self) -> u8 { 3 } } }";
        let refusing = |label: &str| refusing(text, label).expect("it parses");
        let put = "{ ::core::compile_error!(\"it is compiled\") }";
        assert_eq!(refusing("m::A"), Some(text.replace("= 1", &format!("= {put}"))));
        assert_eq!(refusing("m::E::B"), Some(text.replace("= 2", &format!("= {put}"))));
        assert_eq!(refusing("m::E::f"), Some(text.replace("{ 3 }", put)));
        assert_eq!(refusing("m::f"), None);
    }
}
