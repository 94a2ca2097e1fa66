//! The statements of a test, and which of them take nothing from what the others check.

use quote::ToTokens;
use syn::visit::Visit;
use syn::{Expr, Stmt};

use super::assertion::is_assertion;
use super::facts::Facts;

/// One statement of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) kind: StatementKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StatementKind {
    Assertion,
    /// `let name = ..;` with the name.
    Binding(String),
    /// A loop over a list, or a block, with nothing but assertions and bindings of its own.
    Cases,
    Other,
    /// It may end the test.
    Exit,
}

/// A statement of a body, and its facts.
pub(super) fn statement(stmt: &Stmt) -> (Statement, Facts) {
    let mut facts = Facts::default();
    facts.visit_stmt(stmt);
    let kind = match stmt {
        _ if facts.exits > 0 => StatementKind::Exit,
        Stmt::Macro(item) if item.attrs.is_empty() && is_assertion(&item.mac.path) => StatementKind::Assertion,
        Stmt::Expr(Expr::Macro(item), _) if item.attrs.is_empty() && is_assertion(&item.mac.path) => {
            StatementKind::Assertion
        }
        Stmt::Local(local) => match &local.pat {
            syn::Pat::Ident(name) => StatementKind::Binding(name.ident.to_string()),
            syn::Pat::Type(typed) => match &*typed.pat {
                syn::Pat::Ident(name) => StatementKind::Binding(name.ident.to_string()),
                _ => StatementKind::Other,
            },
            _ => StatementKind::Other,
        },
        Stmt::Expr(expr, _) if has_only_cases(expr) => StatementKind::Cases,
        _ => StatementKind::Other,
    };
    (Statement { text: stmt.to_token_stream().to_string(), kind }, facts)
}

/// Whether code does nothing but to assert, case by case; the names that it binds end with it.
fn has_only_cases(expr: &Expr) -> bool {
    let asserts = |block: &syn::Block| {
        block.stmts.iter().all(|stmt| match statement(stmt).0.kind {
            StatementKind::Assertion | StatementKind::Binding(_) | StatementKind::Cases => true,
            StatementKind::Other | StatementKind::Exit => false,
        })
    };
    match expr {
        Expr::ForLoop(cases) => cases.attrs.is_empty() && is_list(&cases.expr) && asserts(&cases.body),
        Expr::Block(block) => block.attrs.is_empty() && block.label.is_none() && asserts(&block.block),
        _ => false,
    }
}

/// Whether an expression is a list that is written down, or what goes through one.
fn is_list(expr: &Expr) -> bool {
    const GOES_THROUGH: [&str; 10] =
        ["bytes", "chain", "chars", "cloned", "copied", "enumerate", "into_iter", "iter", "rev", "zip"];
    match expr {
        Expr::Array(_) | Expr::Range(_) | Expr::Lit(_) => true,
        Expr::Paren(inner) => is_list(&inner.expr),
        Expr::Reference(inner) => inner.mutability.is_none() && is_list(&inner.expr),
        Expr::Path(path) => {
            path.path.segments.last().is_some_and(|last| !last.ident.to_string().contains(char::is_lowercase))
        }
        Expr::MethodCall(call) => {
            GOES_THROUGH.iter().any(|name| call.method == name)
                && is_list(&call.receiver)
                && call.args.iter().all(is_list)
        }
        _ => false,
    }
}
