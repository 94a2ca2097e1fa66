//! Rule `unseen-by-tests`, for what is done whole or not at all: a function that ends early only before it changes anything, or
//! that changes a copy and puts it back when all went well, leaves nothing half done. One that may fail after it has changed
//! something does, and what it leaves then few tests look at.
//!
//! The body is walked in the order in which it runs. Changes are those of what outlives the function: of `self` behind a
//! reference, of parameters behind `&mut`, and of what is taken from them to be changed. What is fed bit by bit, such as a
//! formatter or any `impl Write`, is left half fed everywhere, and does not count.

mod places;

use std::collections::BTreeSet;

use syn::{Block, Expr, ImplItem, Item, Local, Pat, Stmt, TraitItem};

use super::Findings;
use super::code::unit::{Body, Node, Unit};
use super::code::{CodeFile, Side};
use super::unseen::RULE;
use crate::syntax::lex::Lexeme;
use places::{changeable, hands_on, is_assignment, is_err, is_lending, names, only_name, only_path, root};

/// Methods that change what they are called on, with how many arguments they have then, where others of the same name change
/// nothing.
const CHANGING: &[(&str, Option<usize>)] = &[
    ("append", None),
    ("clear", Some(0)),
    ("dedup", Some(0)),
    ("drain", Some(1)),
    ("extend", Some(1)),
    ("extend_from_slice", Some(1)),
    ("fetch_add", Some(2)),
    ("fetch_sub", Some(2)),
    ("insert", None),
    ("insert_str", Some(2)),
    ("pop", Some(0)),
    ("pop_back", Some(0)),
    ("pop_first", Some(0)),
    ("pop_front", Some(0)),
    ("pop_last", Some(0)),
    ("push", Some(1)),
    ("push_back", Some(1)),
    ("push_front", Some(1)),
    ("push_str", Some(1)),
    ("remove", None),
    ("remove_entry", Some(1)),
    ("replace", Some(1)),
    ("resize", Some(2)),
    ("retain", Some(1)),
    ("reverse", Some(0)),
    ("set", None),
    ("sort", Some(0)),
    ("sort_unstable", Some(0)),
    ("split_off", Some(1)),
    ("store", Some(2)),
    ("swap", Some(2)),
    ("swap_remove", Some(1)),
    ("take", Some(0)),
    ("truncate", Some(1)),
];
const COPIES: &[&str] = &["clone", "to_owned", "to_vec"];
/// Macros that end a function early; and which of them always do.
const ENDS: &[&str] =
    &["assert", "assert_eq", "assert_ne", "bail", "ensure", "panic", "todo", "unimplemented", "unreachable"];
const ALWAYS: &[&str] = &["bail", "panic", "todo", "unimplemented", "unreachable"];

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    if file.old.is_empty() {
        return;
    }
    let (before, after) = (changing_methods(file.before), changing_methods(file.after));
    for unit in file.new.iter().filter(|unit| !unit.is_test_code()) {
        let Some(old) = file.old.iter().find(|old| old.key() == unit.key()) else { continue };
        let (Some(was), Some(now)) = (Walk::of(old, &before), Walk::of(unit, &after)) else { continue };
        let label = unit.label();
        let detail = if was.put_back > now.put_back && now.ends > 0 && now.changed_at_all {
            format!("`{label}` no longer changes a copy that it puts back at the end: it may end with half of it done")
        } else if was.changed_at_all && was.ends > 0 && was.late == 0 && now.late > 0 {
            format!(
                "`{label}` may fail after it has changed something, where it did only before: half of it is done then"
            )
        } else {
            continue;
        };
        findings.ask(RULE, file.path, detail);
    }
}

/// The functions of a file that take `&mut self`, by their names.
fn changing_methods<'t>(side: &'t Side<'t>) -> BTreeSet<&'t str> {
    let text = |lexemes: &[Lexeme<'t>], at: usize| lexemes.get(at).map_or("", |lexeme| lexeme.text);
    let all = &side.lexemes;
    let names = (0..all.len()).filter_map(|at| {
        let is_it = text(all, at) == "fn" && text(all, at + 2) == "(" && text(all, at + 3) == "&";
        (is_it && text(all, at + 4) == "mut" && text(all, at + 5) == "self").then(|| text(all, at + 1))
    });
    names.collect()
}

/// What is known at one place of a body, and what was counted on the way there.
struct Walk<'n> {
    /// Names of what outlives the function and may be changed.
    outlives: BTreeSet<String>,
    /// Methods that change what they are called on.
    methods: &'n BTreeSet<&'n str>,
    /// Copies of what outlives it.
    copies: BTreeSet<String>,
    /// Something was changed on the way here.
    changed: bool,
    changed_at_all: bool,
    /// Early ends, and those of them that come after a change.
    ends: usize,
    late: usize,
    /// Copies that are put back after an early end was possible.
    put_back: usize,
}

impl<'n> Walk<'n> {
    /// Walks a function that has a body.
    fn of(unit: &Unit<'_>, methods: &'n BTreeSet<&'n str>) -> Option<Self> {
        let signature = match unit.node {
            Node::Item(Item::Fn(item)) => &item.sig,
            Node::ImplItem(ImplItem::Fn(item), _) => &item.sig,
            Node::TraitItem(TraitItem::Fn(item)) => &item.sig,
            _ => return None,
        };
        let Body::There(block) = unit.body() else { return None };
        let mut walk = Self {
            outlives: changeable(signature),
            methods,
            copies: BTreeSet::new(),
            changed: false,
            changed_at_all: false,
            ends: 0,
            late: 0,
            put_back: 0,
        };
        walk.block(&block);
        Some(walk)
    }

    fn change(&mut self) {
        self.changed = true;
        self.changed_at_all = true;
    }

    fn end(&mut self, changed: bool) {
        self.ends += 1;
        self.late += usize::from(changed);
    }

    /// Walks a block and tells whether it never goes on behind it.
    fn block(&mut self, block: &Block) -> bool {
        let mut stops = false;
        for stmt in &block.stmts {
            stops |= match stmt {
                Stmt::Local(local) => self.local(local),
                Stmt::Expr(expr, _) => self.expr(expr),
                Stmt::Macro(stmt) => self.macro_call(&stmt.mac),
                Stmt::Item(_) => false,
            };
        }
        stops
    }

    fn local(&mut self, local: &Local) -> bool {
        let Some(init) = &local.init else { return false };
        let stops = self.expr(&init.expr);
        if let Some((_, otherwise)) = &init.diverge {
            self.branches(&[&|walk| walk.expr(otherwise), &|_| false]);
        }
        self.bind(&local.pat, &init.expr);
        if let (Expr::MethodCall(call), Some(name)) = (&*init.expr, only_name(&local.pat))
            && COPIES.iter().any(|copies| call.method == copies)
            && root(&call.receiver).is_some_and(|root| self.outlives.contains(&root))
        {
            self.copies.insert(name);
        }
        stops
    }

    /// Notes whether what a pattern binds is lent by something that outlives the function.
    fn bind(&mut self, pat: &Pat, from: &Expr) {
        let lent = self.lends(from);
        for name in names(pat) {
            if lent {
                self.outlives.insert(name);
            } else {
                self.outlives.remove(&name);
            }
        }
    }

    fn lends(&self, from: &Expr) -> bool {
        let outlives = |of: &Expr| root(of).is_some_and(|root| self.outlives.contains(&root));
        match from {
            Expr::Path(_) => outlives(from),
            Expr::Reference(borrow) => borrow.mutability.is_some() && outlives(&borrow.expr),
            Expr::Paren(inner) => self.lends(&inner.expr),
            Expr::Try(inner) => self.lends(&inner.expr),
            Expr::Await(inner) => self.lends(&inner.base),
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                match () {
                    () if is_lending(&name, call.args.len()) => outlives(&call.receiver),
                    () => hands_on(&name) && self.lends(&call.receiver),
                }
            }
            _ => false,
        }
    }

    /// Walks ways of which one is taken, and tells whether none of them goes on.
    fn branches(&mut self, all: &[&dyn Fn(&mut Self) -> bool]) -> bool {
        let before = self.changed;
        let (mut changed, mut stops) = (false, true);
        for branch in all {
            self.changed = before;
            if !branch(self) {
                stops = false;
                changed |= self.changed;
            }
        }
        self.changed = changed || (stops && before);
        stops
    }

    /// Walks what may run again after itself.
    fn again(&mut self, body: &Block) {
        let before = (self.changed, self.ends, self.late, self.put_back);
        self.block(body);
        if self.changed && !before.0 {
            (_, self.ends, self.late, self.put_back) = before;
            self.block(body);
        }
    }

    /// Walks an expression and tells whether it never goes on behind it.
    fn expr(&mut self, expr: &Expr) -> bool {
        match expr {
            Expr::Block(inner) => self.block(&inner.block),
            Expr::Unsafe(inner) => self.block(&inner.block),
            Expr::If(inner) => {
                self.expr(&inner.cond);
                let otherwise = inner.else_branch.as_ref().map(|(_, otherwise)| otherwise);
                self.branches(&[&|walk| walk.block(&inner.then_branch), &|walk| {
                    otherwise.is_some_and(|otherwise| walk.expr(otherwise))
                }])
            }
            Expr::Let(inner) => {
                self.expr(&inner.expr);
                self.bind(&inner.pat, &inner.expr);
                false
            }
            Expr::Match(inner) => {
                self.expr(&inner.expr);
                inner.arms.iter().for_each(|arm| self.bind(&arm.pat, &inner.expr));
                let arms: Vec<_> = inner.arms.iter().map(|arm| move |walk: &mut Self| walk.expr(&arm.body)).collect();
                let arms: Vec<_> = arms.iter().map(|arm| arm as &dyn Fn(&mut Self) -> bool).collect();
                self.branches(&arms)
            }
            Expr::Loop(inner) => {
                self.again(&inner.body);
                false
            }
            Expr::While(inner) => {
                self.expr(&inner.cond);
                self.again(&inner.body);
                false
            }
            Expr::ForLoop(inner) => {
                self.expr(&inner.expr);
                self.bind(&inner.pat, &inner.expr);
                self.again(&inner.body);
                false
            }
            // What fails changes nothing, as far as this can tell.
            Expr::Try(inner) => {
                let before = self.changed;
                let stops = self.expr(&inner.expr);
                self.end(before);
                stops
            }
            Expr::Return(inner) => {
                inner.expr.iter().for_each(|value| {
                    self.expr(value);
                });
                true
            }
            Expr::Macro(inner) => self.macro_call(&inner.mac),
            Expr::Assign(inner) => {
                let stops = self.expr(&inner.right);
                if self.is_place(&inner.left) {
                    let copy = only_path(&inner.right).filter(|name| self.copies.contains(name));
                    self.put_back += usize::from(copy.is_some() && self.ends > 0);
                    self.change();
                }
                stops
            }
            Expr::Binary(inner) => {
                let stops = self.expr(&inner.left) | self.expr(&inner.right);
                if is_assignment(inner.op) && self.is_place(&inner.left) {
                    self.change();
                }
                stops
            }
            Expr::MethodCall(call) => {
                let mut stops = self.expr(&call.receiver);
                call.args.iter().for_each(|argument| stops |= self.expr(argument));
                let name = call.method.to_string();
                let changes = self.methods.contains(name.as_str())
                    || CHANGING
                        .iter()
                        .any(|(one, many)| *one == name && many.is_none_or(|many| many == call.args.len()));
                if changes && self.is_lent(&call.receiver) || call.args.iter().any(|argument| self.is_lent_to(argument))
                {
                    self.change();
                }
                stops
            }
            Expr::Call(call) => {
                let mut stops = false;
                call.args.iter().for_each(|argument| stops |= self.expr(argument));
                if is_err(&call.func) {
                    self.end(self.changed);
                } else if call.args.iter().any(|argument| self.is_lent_to(argument)) {
                    self.change();
                }
                stops
            }
            Expr::Reference(inner) => self.expr(&inner.expr),
            Expr::Paren(inner) => self.expr(&inner.expr),
            Expr::Unary(inner) => self.expr(&inner.expr),
            Expr::Cast(inner) => self.expr(&inner.expr),
            Expr::Await(inner) => self.expr(&inner.base),
            Expr::Field(inner) => self.expr(&inner.base),
            Expr::Index(inner) => self.expr(&inner.expr) | self.expr(&inner.index),
            Expr::Tuple(inner) => inner.elems.iter().fold(false, |stops, one| stops | self.expr(one)),
            Expr::Array(inner) => inner.elems.iter().fold(false, |stops, one| stops | self.expr(one)),
            Expr::Struct(inner) => inner.fields.iter().fold(false, |stops, one| stops | self.expr(&one.expr)),
            // What closures and asynchronous blocks do, they do later or elsewhere; their ends are not the function's.
            _ => false,
        }
    }

    fn macro_call(&mut self, call: &syn::Macro) -> bool {
        let Some(name) = call.path.segments.last().map(|last| last.ident.to_string()) else { return false };
        if ENDS.contains(&name.as_str()) {
            self.end(self.changed);
        }
        ALWAYS.contains(&name.as_str())
    }

    /// Whether it is assigned to what outlives the function, and not to a name in it.
    fn is_place(&self, left: &Expr) -> bool {
        !matches!(left, Expr::Path(_)) && self.is_lent(left)
    }

    /// Whether something that outlives the function can be changed through it.
    fn is_lent(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Path(_) => root(expr).is_some_and(|root| self.outlives.contains(&root)),
            Expr::Field(inner) => self.is_lent(&inner.base),
            Expr::Index(inner) => self.is_lent(&inner.expr),
            Expr::Paren(inner) => self.is_lent(&inner.expr),
            Expr::Unary(inner) => self.is_lent(&inner.expr),
            _ => self.lends(expr),
        }
    }

    /// Whether something is handed to a function that may change it.
    fn is_lent_to(&self, argument: &Expr) -> bool {
        matches!(argument, Expr::Reference(borrow) if borrow.mutability.is_some() && self.is_lent(&borrow.expr))
    }
}
