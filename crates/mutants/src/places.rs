//! Places: where it is noted that a test comes by, so that it can be said of each line that changes whether tests run it.

use std::ops::{Range, RangeInclusive};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Block, Expr, ExprClosure, ExprRepeat, Stmt};

use crate::functions::Function;

/// A statement, or the value of an arm or a closure, that stands on lines that change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its number, which is noted when a test comes by.
    pub number: usize,
    /// The function.
    pub function: String,
    /// The lines that are run when it is, counted from 1: those of it that change and belong to no place inside of it.
    pub lines: Vec<u32>,
}

/// One that can be noted.
pub(crate) struct Spot {
    pub function: String,
    pub lines: RangeInclusive<u32>,
    /// What is noted, bytes of the text.
    pub bytes: Range<usize>,
    /// Whether it is a statement, before which another one can stand; otherwise a block is made around it.
    pub statement: bool,
}

/// The spots of a function that stand on some of these lines.
pub(crate) fn spots(function: &Function<'_>, changed: &[Range<u32>]) -> Vec<Spot> {
    let mut finder = Finder { function: &function.label, changed, found: Vec::new() };
    finder.visit_block(function.body);
    finder.found
}

/// Which lines belong to which of these spots: each line of code that changes to the innermost one around it.
pub(crate) fn lines_of(text: &str, spots: &[(usize, Spot)], changed: &[Range<u32>]) -> Vec<Place> {
    let place =
        |(number, spot): &(usize, Spot)| Place { number: *number, function: spot.function.clone(), lines: Vec::new() };
    let mut places: Vec<Place> = spots.iter().map(place).collect();
    for (number, line) in (1_u32..).zip(text.lines()) {
        if !changed.iter().any(|lines| lines.contains(&number)) || !is_code(line) {
            continue;
        }
        let around = spots.iter().enumerate().filter(|(_, (_, spot))| spot.lines.contains(&number));
        let innermost = around.min_by_key(|(at, (_, spot))| (spot.lines.end() - spot.lines.start(), usize::MAX - at));
        if let Some(place) = innermost.and_then(|(at, _)| places.get_mut(at)) {
            place.lines.push(number);
        }
    }
    places
}

/// Whether a line holds more than brackets, an `else` or a comment.
fn is_code(line: &str) -> bool {
    let line = line.trim();
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"' && c != '\'');
    !line.starts_with("//") && words.filter(|word| !word.is_empty()).any(|word| word != "else")
}

struct Finder<'t> {
    function: &'t str,
    changed: &'t [Range<u32>],
    found: Vec<Spot>,
}

impl Finder<'_> {
    fn note(&mut self, of: &impl Spanned, statement: bool) {
        let span = of.span();
        let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
        let (first, last) = (line(span.start().line), line(span.end().line));
        let changes = self.changed.iter().any(|lines| lines.start <= last && first < lines.end);
        let bytes = span.byte_range();
        if changes && !bytes.is_empty() {
            self.found.push(Spot { function: self.function.to_owned(), lines: first..=last, bytes, statement });
        }
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_block(&mut self, block: &'a Block) {
        for statement in &block.stmts {
            if !matches!(statement, Stmt::Item(_) | Stmt::Expr(Expr::Verbatim(_), _)) {
                self.note(statement, true);
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_arm(&mut self, arm: &'a Arm) {
        if !matches!(&*arm.body, Expr::Block(_)) {
            self.note(&arm.body, false);
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_closure(&mut self, closure: &'a ExprClosure) {
        if !matches!(&*closure.body, Expr::Block(_)) {
            self.note(&closure.body, false);
        }
        visit::visit_expr_closure(self, closure);
    }

    // Nothing can be noted there: it is no code that runs, or runs while compiling.
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_type(&mut self, _: &'a syn::Type) {}
    fn visit_item(&mut self, _: &'a syn::Item) {}
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
    fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}
    fn visit_generic_argument(&mut self, _: &'a syn::GenericArgument) {}

    fn visit_expr_repeat(&mut self, repeat: &'a ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_code_when_it_says_something() {
        assert!(is_code("    x += 1;") && is_code("_") && is_code("\"\"") && is_code("'}' => {"));
        assert!(
            !is_code("    }") && !is_code("} else {") && !is_code("") && !is_code("// a comment") && !is_code("});")
        );
    }
}
