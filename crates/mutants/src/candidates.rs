//! What may be wrong in a function: the places of its body where something else may stand, and what.

use std::ops::Range;

use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprBinary, ExprLit, ExprMacro, ExprUnary, Signature, Stmt, StmtMacro, Token};

use crate::functions::Function;
use crate::operators::{is_assignment, may_be_left_out, other_literal, other_operators, returned, shown};

/// One that can be put in.
pub(crate) struct Candidate {
    pub function: String,
    pub line: u32,
    pub what: String,
    /// What is wrapped, bytes of the text.
    pub place: Range<usize>,
    pub before: String,
    pub after: &'static str,
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

/// Whether it asks how the code was built, such as `cfg!(windows)`.
fn is_build_condition(condition: &Expr) -> bool {
    matches!(condition, Expr::Macro(called) if called.mac.path.is_ident("cfg"))
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
        // What is built otherwise elsewhere is no other way to do it here.
        if !binds(condition) && !is_comparison(condition) && !is_build_condition(condition) {
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
            let name = pattern.to_token_stream().to_string();
            self.later.push(name.strip_prefix("mut ").map(str::to_owned).unwrap_or(name));
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
                // What is done, or asked for, with a way out where it fails.
                Expr::Try(tried) => matches!(*tried.expr, Expr::Call(_) | Expr::MethodCall(_) | Expr::Await(_)),
                Expr::Call(_) | Expr::MethodCall(_) | Expr::Await(_) => true,
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
