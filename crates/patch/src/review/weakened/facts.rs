//! What a piece of test code checks: its assertions, its values, and how it can end early. Read from the syntax tree,
//! and by lexemes where a macro holds something else than expressions.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, ExprLit, Lit, Macro, Token};

use super::assertion::{Assertion, is_assertion};
use super::literal::{format_string, value, value_of_text};
use crate::syntax::lex::{Kind, lex};

/// Names, values and operators of an expression, and what can end it.
#[derive(Debug, Default, Clone)]
pub(super) struct Facts {
    pub(super) assertions: Vec<Assertion>,
    /// `panic!` and its like.
    pub(super) panics: usize,
    /// `unwrap`, `expect` and their like.
    pub(super) unwraps: usize,
    /// `?`.
    pub(super) tries: usize,
    /// `return`, `break`, `continue`, `exit`.
    pub(super) exits: usize,
    /// Conditions that are a literal.
    pub(super) constant_conditions: usize,
    /// Values, those of assertions left out.
    pub(super) literals: Vec<String>,
    pub(super) booleans: Vec<bool>,
    pub(super) operators: Vec<String>,
    pub(super) names: BTreeSet<String>,
    /// Names that patterns bind here, which may be called anything.
    pub(super) bound: BTreeSet<String>,
    /// Items declared inside, whole.
    pub(super) items: Vec<String>,
    /// Conditions, loops and closures around the place that is being read.
    depth: usize,
    /// What is being read belongs to an assertion already.
    inside_assertion: bool,
}

impl Facts {
    pub(super) fn of_block(block: &syn::Block) -> Self {
        let mut facts = Self::default();
        facts.visit_block(block);
        facts
    }

    pub(super) fn of_expr(expr: &Expr) -> Self {
        let mut facts = Self::default();
        facts.visit_expr(expr);
        facts
    }

    /// Facts of the text of an assertion, as tokens; assertions inside of it are not told apart.
    pub(super) fn of_assertion(tokens: &TokenStream) -> Self {
        let mut facts = Self { inside_assertion: true, ..Self::default() };
        facts.tokens(tokens);
        facts
    }

    /// An expression read with a copy of this place; merge it to count it here. Each expression is read once only,
    /// since reading one twice at every level would take exponential time.
    fn of_part(&self, expr: &Expr) -> Self {
        let mut facts = Self { depth: self.depth, inside_assertion: self.inside_assertion, ..Self::default() };
        Visit::visit_expr(&mut facts, expr);
        facts
    }

    /// Adds what was read in a part of this.
    pub(super) fn merge(&mut self, part: Self) {
        self.assertions.extend(part.assertions);
        self.literals.extend(part.literals);
        self.booleans.extend(part.booleans);
        self.operators.extend(part.operators);
        self.names.extend(part.names);
        self.bound.extend(part.bound);
        self.items.extend(part.items);
        self.panics += part.panics;
        self.unwraps += part.unwraps;
        self.tries += part.tries;
        self.exits += part.exits;
        self.constant_conditions += part.constant_conditions;
    }

    /// Takes one operator away.
    pub(super) fn remove_operator(&mut self, operator: &str) {
        if let Some(at) = self.operators.iter().position(|known| known == operator) {
            self.operators.remove(at);
        }
    }

    fn record(&mut self, assertion: Assertion) {
        if !self.inside_assertion {
            self.assertions.push(assertion);
        }
    }

    /// Reads on inside of an assertion.
    fn inside(&mut self, walk: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.inside_assertion, true);
        walk(self);
        self.inside_assertion = outer;
    }

    fn tokens(&mut self, tokens: &TokenStream) {
        let text = tokens.to_string();
        let lexemes: Vec<_> = lex(&text).collect();
        for (at, lexeme) in lexemes.iter().enumerate() {
            let next = lexemes.get(at + 1).map_or("", |next| next.text);
            match lexeme.kind {
                Kind::Literal => self.literals.extend(value_of_text(lexeme.text)),
                Kind::Ident => match lexeme.text {
                    "true" => self.booleans.push(true),
                    "false" => self.booleans.push(false),
                    "return" | "break" | "continue" => self.exits += 1,
                    "panic" | "unreachable" | "todo" | "unimplemented" if next == "!" => self.panics += 1,
                    "unwrap" | "expect" | "unwrap_err" | "expect_err" => self.unwraps += 1,
                    name => {
                        if !self.inside_assertion && name.contains("assert") && next == "!" {
                            let rest = lexemes.get(at + 2..).unwrap_or(&[]);
                            let end = crate::review::code::scan::closing(rest, 0);
                            let inside = crate::review::code::scan::joined(rest.get(..end).unwrap_or(rest));
                            self.assertions.push(Assertion::opaque(name, inside, self.depth));
                        }
                        self.names.insert(name.to_owned());
                    }
                },
                Kind::Punct if !matches!(lexeme.text, "," | "&" | "*" | "." | ":" | ";" | "#") => {
                    self.operators.push(lexeme.text.to_owned());
                }
                _ => {}
            }
        }
    }

    fn deeper(&mut self, walk: impl FnOnce(&mut Self)) {
        self.depth += 1;
        walk(self);
        self.depth -= 1;
    }

    fn condition(&mut self, condition: &Expr) {
        let facts = self.of_part(condition);
        if facts.names.is_empty() && facts.assertions.is_empty() {
            self.constant_conditions += 1;
        }
        self.merge(facts);
    }

    fn formatted(&mut self, arguments: &Punctuated<Expr, Token![,]>) {
        for argument in arguments {
            if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = argument {
                let (shape, names) = format_string(&text.value());
                self.literals.push(format!("t:{shape}"));
                self.names.extend(names);
            } else {
                let facts = self.of_part(argument);
                self.merge(facts);
            }
        }
    }
}

/// The arguments of a macro, when they are expressions.
pub(super) fn arguments(tokens: &TokenStream) -> Option<Punctuated<Expr, Token![,]>> {
    Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone()).ok()
}

const FORMATTERS: [&str; 18] = [
    "format",
    "print",
    "println",
    "eprint",
    "eprintln",
    "write",
    "writeln",
    "format_args",
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "bail",
];

impl<'ast> Visit<'ast> for Facts {
    fn visit_macro(&mut self, mac: &'ast Macro) {
        let name = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let arguments = arguments(&mac.tokens);
        if is_assertion(&mac.path) {
            let operands: Option<Vec<(&Expr, Self)>> =
                arguments.as_ref().map(|all| all.iter().map(|operand| (operand, Self::of_expr(operand))).collect());
            for (_, facts) in operands.iter().flatten() {
                // What an operand may end by itself counts for the whole test.
                self.unwraps += facts.unwraps;
                self.tries += facts.tries;
                self.exits += facts.exits;
            }
            let assertion = Assertion::of(&name, operands.as_deref(), &mac.tokens, self.depth);
            return self.record(assertion);
        }
        if matches!(name.as_str(), "panic" | "unreachable" | "todo" | "unimplemented") {
            self.panics += 1;
        }
        self.names.insert(name.clone());
        match arguments {
            Some(arguments) if FORMATTERS.contains(&name.as_str()) => self.formatted(&arguments),
            Some(arguments) => {
                for argument in &arguments {
                    let facts = self.of_part(argument);
                    self.merge(facts);
                }
            }
            None => self.tokens(&mac.tokens),
        }
    }

    fn visit_lit(&mut self, literal: &'ast Lit) {
        match literal {
            Lit::Bool(literal) => self.booleans.push(literal.value),
            other => self.literals.extend(value(other)),
        }
    }

    fn visit_ident(&mut self, ident: &'ast proc_macro2::Ident) {
        self.names.insert(ident.to_string());
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.items.push(item.to_token_stream().to_string());
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bound.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    // A cast or an annotation names a type, which the compiler checks.
    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_bin_op(&mut self, op: &'ast syn::BinOp) {
        self.operators.push(op.to_token_stream().to_string());
    }

    fn visit_un_op(&mut self, op: &'ast syn::UnOp) {
        if !matches!(op, syn::UnOp::Deref(_)) {
            self.operators.push(op.to_token_stream().to_string());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        if matches!(name.as_str(), "unwrap" | "expect" | "unwrap_err" | "expect_err") {
            self.unwraps += 1;
        }
        if !name.starts_with("assert") || self.inside_assertion {
            return visit::visit_expr_method_call(self, call);
        }
        let arguments = call.args.to_token_stream().to_string();
        self.record(Assertion::opaque(&name, arguments, self.depth));
        self.visit_expr(&call.receiver);
        self.inside(|facts| call.args.iter().for_each(|argument| facts.visit_expr(argument)));
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            if matches!(name.as_str(), "exit" | "abort") {
                self.exits += 1;
            }
            let asserts = ["assert", "check", "verify", "ensure", "expect", "require"]
                .iter()
                .any(|start| name.starts_with(start));
            if asserts && !self.inside_assertion {
                self.record(Assertion::opaque(&name, call.to_token_stream().to_string(), self.depth));
                return self.inside(|facts| visit::visit_expr_call(facts, call));
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_try(&mut self, expr: &'ast syn::ExprTry) {
        self.tries += 1;
        visit::visit_expr_try(self, expr);
    }

    fn visit_expr_return(&mut self, expr: &'ast syn::ExprReturn) {
        self.exits += 1;
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_break(&mut self, expr: &'ast syn::ExprBreak) {
        self.exits += 1;
        visit::visit_expr_break(self, expr);
    }

    fn visit_expr_continue(&mut self, expr: &'ast syn::ExprContinue) {
        self.exits += 1;
        visit::visit_expr_continue(self, expr);
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.condition(&expr.cond);
        self.deeper(|facts| {
            facts.visit_block(&expr.then_branch);
            if let Some((_, other)) = &expr.else_branch {
                facts.visit_expr(other);
            }
        });
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.condition(&expr.cond);
        self.deeper(|facts| facts.visit_block(&expr.body));
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.visit_expr(&expr.expr);
        self.deeper(|facts| expr.arms.iter().for_each(|arm| facts.visit_arm(arm)));
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.deeper(|facts| visit::visit_expr_for_loop(facts, expr));
    }

    fn visit_expr_closure(&mut self, expr: &'ast syn::ExprClosure) {
        self.deeper(|facts| visit::visit_expr_closure(facts, expr));
    }

    fn visit_expr_async(&mut self, expr: &'ast syn::ExprAsync) {
        self.deeper(|facts| visit::visit_expr_async(facts, expr));
    }
}
