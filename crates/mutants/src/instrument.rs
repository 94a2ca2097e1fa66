//! Puts mutants into a text: each as a branch that is taken when it is on, around what was there.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprBinary, ExprLit, ExprMacro, ExprUnary, Signature, Stmt, StmtMacro, Token};

use crate::functions::{Function, functions};
use crate::operators::{is_assignment, may_be_left_out, other_literal, other_operators, returned, shown};
use crate::places::{Place, Spot, lines_of, spots};
use crate::switch::MODULE;
use kaizen_source::{Unreadable, with_files};

/// A wrong version of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Its number, by which it is turned on.
    pub number: usize,
    /// The function.
    pub function: String,
    /// The line of the text it is in, counted from 1.
    pub line: u32,
    /// What it does, such as ``replaces `<` by `<=` ``.
    pub what: String,
    /// Whether it is about the function as a whole, and about no line of it.
    pub whole: bool,
}

/// What was put in, in bytes of the text with mutants: up to what was there before, and from there on.
type Around = (Range<usize>, Range<usize>);

/// A text with mutants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The text.
    pub text: String,
    /// The mutants in it.
    pub mutants: Vec<Mutant>,
    /// The places in it where it is noted that a test comes by.
    pub places: Vec<Place>,
    /// What was put in, each with the number of its mutant or place.
    around: Vec<(usize, Around)>,
    /// The functions with their lines.
    functions: Vec<(String, RangeInclusive<u32>)>,
}

impl Instrumented {
    /// The number of the mutant or place that the compiler means with an error at these bytes: the one whose code is there, or
    /// else the innermost one around it. None when none is to blame.
    #[must_use]
    pub fn refused(&self, bytes: Range<usize>) -> Option<usize> {
        let begins = |(_, around): &&(usize, Around)| around.0.start <= bytes.start && bytes.start < around.1.end;
        let own = self.around.iter().filter(begins).filter(|(_, around)| bytes.start < around.0.end);
        let all = || self.around.iter().filter(begins);
        let innermost = |(_, around): &&(usize, Around)| around.1.end - around.0.start;
        own.min_by_key(innermost).or_else(|| all().min_by_key(innermost)).map(|(number, _)| *number)
    }
}

impl Instrumented {
    /// The numbers of all in the function around a line.
    pub fn in_function(&self, line: u32) -> impl Iterator<Item = usize> {
        let here = self.functions.iter().find(|(_, lines)| lines.contains(&line)).map(|(name, _)| name.as_str());
        let mutants = self.mutants.iter().filter(move |one| Some(one.function.as_str()) == here).map(|one| one.number);
        let places = self.places.iter().filter(move |one| Some(one.function.as_str()) == here).map(|one| one.number);
        mutants.chain(places)
    }
}

/// One that can be put in.
pub(crate) struct Candidate {
    function: String,
    pub line: u32,
    pub what: String,
    /// What is wrapped, bytes of the text.
    pub place: Range<usize>,
    before: String,
    after: &'static str,
    /// What stands in that place when there is no switch to be asked.
    pub alone: String,
}

/// What can be put into a function.
pub(crate) fn candidates(text: &str, function: &Function<'_>) -> Vec<Candidate> {
    let mut finder = Finder { text, function: &function.label, later: Vec::new(), found: Vec::new() };
    finder.whole(function.signature, function.body);
    finder.visit_block(function.body);
    finder.found
}

/// Puts the mutants of these functions into a text, numbered from `first` on and without those numbers in `without`; and on
/// the lines of these functions that are in `changed` notes of what is run.
///
/// # Errors
/// When the text cannot be read.
pub fn instrument(
    text: &str,
    wanted: &BTreeSet<String>,
    changed: &[Range<u32>],
    first: usize,
    without: &BTreeSet<usize>,
) -> Result<Instrumented, Unreadable> {
    let (candidates, spots, functions) = with_files(&[text], |files| {
        let functions = files.first().map(functions).unwrap_or_default().into_iter();
        // A constant one may be called where no switch can be asked.
        let may_ask = |one: &Function<'_>| wanted.contains(&one.label) && one.signature.constness.is_none();
        let functions: Vec<Function<'_>> = functions.filter(may_ask).collect();
        let candidates: Vec<Candidate> = functions.iter().flat_map(|one| candidates(text, one)).collect();
        let spots: Vec<Spot> = functions.iter().flat_map(|one| spots(one, changed)).collect();
        let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
        let lines = |one: &Function<'_>| {
            let braces = &one.body.brace_token.span;
            (one.label.clone(), line(braces.open().start().line)..=line(braces.close().end().line))
        };
        (candidates, spots, functions.iter().map(lines).collect())
    })?;
    let behind = first + candidates.len();
    let is_left = |number: &usize| !without.contains(number);
    let candidates: Vec<_> = (first..).zip(candidates).filter(|(number, _)| is_left(number)).collect();
    let spots: Vec<_> = (behind..).zip(spots).filter(|(number, _)| is_left(number)).collect();
    let mut places = lines_of(text, &spots, changed);
    places.retain(|place| !place.lines.is_empty());
    let noted = spots.iter().filter(|(number, _)| places.iter().any(|place| place.number == *number));
    let mutants = candidates.iter().map(|(number, candidate)| Piece {
        number: *number,
        place: candidate.place.clone(),
        before: &candidate.before,
        after: candidate.after,
    });
    let noted = noted.map(|(number, spot)| Piece {
        number: *number,
        place: spot.bytes.clone(),
        before: if spot.statement { "{on}; " } else { "{ {on}; " },
        after: if spot.statement { "" } else { " }" },
    });
    let (text, around) = put_in(text, &mutants.chain(noted).collect::<Vec<_>>());
    let mutant = |(number, candidate): (usize, Candidate)| Mutant {
        number,
        function: candidate.function,
        line: candidate.line,
        what: candidate.what,
        whole: candidate.after.is_empty(),
    };
    Ok(Instrumented { text, mutants: candidates.into_iter().map(mutant).collect(), places, around, functions })
}

/// What is put in around a place, or before it where nothing comes behind it.
struct Piece<'p> {
    number: usize,
    place: Range<usize>,
    before: &'p str,
    after: &'static str,
}

/// A text that is put in at a place, for the piece at a position of the list.
struct Insertion {
    place: usize,
    of: usize,
    begins: bool,
    /// The length of what is wrapped.
    length: usize,
    text: String,
}

impl Insertion {
    /// What ends at a place ends before something else begins there. Of what begins at the same place the longer one comes
    /// first, of what ends there the shorter one; of two around the same piece the first is outside.
    fn order(&self) -> (usize, bool, usize, usize) {
        if self.begins {
            let whole = if self.length == 0 { 0 } else { usize::MAX - self.length };
            (self.place, true, whole, self.of)
        } else {
            (self.place, false, self.length, usize::MAX - self.of)
        }
    }
}

/// The text with these pieces, and where each of them is.
fn put_in(text: &str, pieces: &[Piece<'_>]) -> (String, Vec<(usize, Around)>) {
    let mut insertions = Vec::new();
    for (of, Piece { number, place, before, after }) in pieces.iter().enumerate() {
        let Range { start, end } = place.clone();
        // What only comes before a place wraps nothing.
        let length = if after.is_empty() { 0 } else { end - start };
        let before = before.replace("{on}", &format!("crate::{MODULE}::on({number})"));
        insertions.push(Insertion { place: start, of, begins: true, length, text: before });
        if !after.is_empty() {
            insertions.push(Insertion { place: end, of, begins: false, length, text: (*after).to_owned() });
        }
    }
    insertions.sort_by_key(Insertion::order);
    let mut out = String::with_capacity(text.len() * 2);
    let mut ranges: Vec<(usize, Around)> = pieces.iter().map(|piece| (piece.number, (0..0, 0..0))).collect();
    let mut done = 0;
    for Insertion { place, of, begins, text: put, .. } in insertions {
        out.push_str(text.get(done..place).unwrap_or_default());
        done = place;
        let range = out.len()..out.len() + put.len();
        out.push_str(&put);
        if let Some((_, (before, after))) = ranges.get_mut(of) {
            if begins {
                *after = range.end..range.end;
                *before = range;
            } else {
                *after = range;
            }
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, ranges)
}

struct Finder<'t> {
    text: &'t str,
    function: &'t str,
    /// Variables that are declared without a value: what sets them cannot be left out.
    later: Vec<String>,
    found: Vec<Candidate>,
}

impl Finder<'_> {
    /// What the whole function may do instead.
    fn whole(&mut self, signature: &Signature, body: &Block) {
        let open = body.brace_token.span.open().byte_range().end;
        let line = u32::try_from(body.brace_token.span.open().start().line).unwrap_or(0);
        for value in returned(&signature.output) {
            self.found.push(Candidate {
                function: self.function.to_owned(),
                line,
                what: format!("returns `{value}` at once"),
                place: open..open,
                before: format!(" if {{on}} {{ return {value}; }}"),
                after: "",
                alone: format!(" return {value};"),
            });
        }
    }

    /// Something else in place of an expression.
    fn instead(&mut self, of: &Expr, other: &str, what: String) {
        self.wrap(of, format!("(if {{on}} {{ {other} }} else {{ "), " })", other.to_owned(), what);
    }

    fn wrap(&mut self, of: &impl Spanned, before: String, after: &'static str, alone: String, what: String) {
        let span = of.span();
        let line = u32::try_from(span.start().line).unwrap_or(0);
        let place = span.byte_range();
        if !place.is_empty() {
            self.found.push(Candidate { function: self.function.to_owned(), line, what, place, before, after, alone });
        }
    }

    fn source(&self, of: &impl Spanned) -> &str {
        self.text.get(of.span().byte_range()).unwrap_or_default()
    }

    /// What a piece of code comes to, where nothing in it would be another thing by itself.
    fn result(&mut self, value: &Expr) {
        if is_default(value) {
            return;
        }
        if matches!(value, Expr::Path(_) | Expr::Call(_) | Expr::MethodCall(_) | Expr::Field(_) | Expr::Index(_)) {
            let what = format!("replaces `{}` by its default", shown(value));
            self.instead(value, "Default::default()", what);
        }
    }

    /// The arguments of macros that take plain expressions.
    fn arguments(&mut self, mac: &syn::Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let (from, most) = match name.as_str() {
            "vec" => (0, usize::MAX),
            "assert" | "debug_assert" => (0, 1),
            "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => (0, 2),
            "format" | "print" | "println" | "eprint" | "eprintln" | "panic" | "format_args" => (1, usize::MAX),
            "write" | "writeln" => (2, usize::MAX),
            _ => return,
        };
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(arguments) = mac.parse_body_with(parser) else { return };
        // A name before a value is no assignment there.
        let values = arguments.iter().skip(from).take(most).map(|argument| match argument {
            Expr::Assign(named) => &*named.right,
            other => other,
        });
        for value in values {
            self.visit_expr(value);
        }
    }
}

/// Whether a condition binds names, so that it cannot stand anywhere else.
fn binds(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        _ => false,
    }
}

/// Whether a value is most likely its type's default, so that nothing else stands in its place.
fn is_default(value: &Expr) -> bool {
    match value {
        Expr::Path(path) => path.path.is_ident("None"),
        Expr::Call(call) if call.args.is_empty() => match &*call.func {
            Expr::Path(path) => {
                path.path.segments.last().is_some_and(|last| last.ident == "new" || last.ident == "default")
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_comparison(expression: &Expr) -> bool {
    match expression {
        Expr::Binary(binary) => !other_operators(&binary.op).is_empty(),
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Not(_)),
        Expr::Lit(_) => true,
        Expr::Paren(paren) => is_comparison(&paren.expr),
        _ => false,
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_expr_binary(&mut self, binary: &'a ExprBinary) {
        let whole = Expr::Binary(binary.clone());
        if binds(&whole) {
            return visit::visit_expr_binary(self, binary);
        }
        for other in other_operators(&binary.op) {
            let (left, right) = (self.source(&binary.left).to_owned(), self.source(&binary.right).to_owned());
            let what = format!("replaces `{}` by `{other}`", self.source(&binary.op));
            self.instead(&whole, &format!("{left} {other} {right}"), what);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'a ExprUnary) {
        if may_be_left_out(&unary.op, &unary.expr) {
            let what = format!("leaves out `{}`", self.source(&unary.op));
            let inner = self.source(&unary.expr).to_owned();
            self.instead(&Expr::Unary(unary.clone()), &inner, what);
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_lit(&mut self, literal: &'a ExprLit) {
        if let Some(other) = other_literal(&literal.lit) {
            let what = format!("replaces `{}` by `{other}`", shown(&Expr::Lit(literal.clone())));
            self.instead(&Expr::Lit(literal.clone()), &other, what);
        }
    }

    fn visit_expr_if(&mut self, expression: &'a syn::ExprIf) {
        let condition = &*expression.cond;
        if !binds(condition) && !is_comparison(condition) {
            let source = self.source(condition).to_owned();
            self.instead(condition, &format!("!({source})"), format!("negates `{}`", shown(condition)));
        }
        visit::visit_expr_if(self, expression);
    }

    fn visit_expr_while(&mut self, expression: &'a syn::ExprWhile) {
        let condition = &*expression.cond;
        if !binds(condition) && !is_comparison(condition) {
            self.instead(condition, "false", format!("replaces `{}` by `false`", shown(condition)));
        }
        visit::visit_expr_while(self, expression);
    }

    fn visit_expr_return(&mut self, expression: &'a syn::ExprReturn) {
        if let Some(value) = &expression.expr {
            self.result(value);
        }
        visit::visit_expr_return(self, expression);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        self.result(&arm.body);
        visit::visit_arm(self, arm);
    }

    fn visit_block(&mut self, block: &'a Block) {
        if let Some(Stmt::Expr(last, None)) = block.stmts.last() {
            self.result(last);
        }
        visit::visit_block(self, block);
    }

    // How much room is set aside for what comes makes no difference that a test could see.
    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        let of = if let Expr::Path(path) = &*call.func { path.path.segments.last() } else { None };
        if of.is_none_or(|last| last.ident != "with_capacity") {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        if call.method == "reserve" || call.method == "reserve_exact" {
            self.visit_expr(&call.receiver);
        } else {
            visit::visit_expr_method_call(self, call);
        }
    }

    fn visit_expr_macro(&mut self, expression: &'a ExprMacro) {
        self.arguments(&expression.mac);
    }

    fn visit_stmt_macro(&mut self, statement: &'a StmtMacro) {
        self.arguments(&statement.mac);
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if local.init.is_none() {
            let pattern = if let syn::Pat::Type(typed) = &local.pat { &*typed.pat } else { &local.pat };
            self.later.push(pattern.to_token_stream().to_string());
        }
        visit::visit_local(self, local);
    }

    // What a value is made of may be something else.
    fn visit_expr_struct(&mut self, expression: &'a syn::ExprStruct) {
        for field in &expression.fields {
            match (&field.colon_token, &field.member) {
                (None, syn::Member::Named(name)) => {
                    let what = format!("replaces `{name}` by its default");
                    let before = format!("{name}: (if {{on}} {{ Default::default() }} else {{ ");
                    self.wrap(&field.expr, before, " })", format!("{name}: Default::default()"), what);
                }
                _ => self.result(&field.expr),
            }
        }
        visit::visit_expr_struct(self, expression);
    }

    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Expr(expression, Some(_)) = statement {
            let may_go = match expression {
                Expr::Call(_) | Expr::MethodCall(_) => true,
                Expr::Assign(assign) => !self.later.contains(&assign.left.to_token_stream().to_string()),
                Expr::Binary(binary) => is_assignment(&binary.op),
                _ => false,
            };
            if may_go {
                let what = format!("leaves out `{}`", shown(expression));
                self.wrap(statement, "if {on} {} else { ".to_owned(), " }", String::new(), what);
            }
        }
        visit::visit_stmt(self, statement);
    }

    // Patterns, types, constants, attributes and items inside of the function are no places for a branch.
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_type(&mut self, _: &'a syn::Type) {}
    fn visit_item(&mut self, _: &'a syn::Item) {}
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
    fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}
    fn visit_generic_argument(&mut self, _: &'a syn::GenericArgument) {}

    fn visit_expr_repeat(&mut self, repeat: &'a syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }
}
