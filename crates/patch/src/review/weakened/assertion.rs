//! One assertion in a form that does not depend on how it is spelled, and when one may stand for another.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{BinOp, Expr, Lit, UnOp};

use super::facts::Facts;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assertion {
    /// `assert`, `assert_eq`, `assert_ne`, each perhaps with a prefix; or another macro or function.
    kind: String,
    /// It claims the opposite.
    negated: bool,
    /// All of it, messages left out.
    pub(super) text: String,
    literals: Vec<String>,
    booleans: Vec<bool>,
    operators: Vec<String>,
    pub(super) names: BTreeSet<String>,
    /// Conditions, loops and closures around it.
    depth: usize,
}

/// Whether a macro asserts something, by its name.
pub(super) fn is_assertion(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident.to_string().contains("assert"))
}

impl Assertion {
    /// An assertion by a macro.
    pub(super) fn of(name: &str, arguments: Option<&[(&Expr, Facts)]>, tokens: &TokenStream, depth: usize) -> Self {
        let (prefix, base) = name.rfind("assert").and_then(|at| name.split_at_checked(at)).unwrap_or(("", name));
        let operands = match base {
            "assert" => 1,
            "assert_eq" | "assert_ne" => 2,
            _ => 0,
        };
        let known = arguments.filter(|arguments| operands > 0 && arguments.len() >= operands);
        let Some(arguments) = known else {
            let facts = Facts::of_assertion(tokens);
            return Self::from_facts(name.to_owned(), false, tokens.to_string(), facts, depth);
        };
        let arguments = arguments.get(..operands).unwrap_or(arguments);
        let (kind, negated, operands) = canonical(base, arguments);
        let text =
            operands.iter().map(|(operand, _)| operand.to_token_stream().to_string()).collect::<Vec<_>>().join(" , ");
        let mut all = Facts::default();
        operands.into_iter().for_each(|(_, facts)| all.merge(facts));
        Self::from_facts(format!("{prefix}{kind}"), negated, text, all, depth)
    }

    /// An assertion by something that only its name and text tell about.
    pub(super) fn opaque(name: &str, text: String, depth: usize) -> Self {
        let facts = text.parse::<TokenStream>().map(|tokens| Facts::of_assertion(&tokens)).unwrap_or_default();
        Self::from_facts(name.to_owned(), false, text, facts, depth)
    }

    fn from_facts(kind: String, negated: bool, text: String, mut facts: Facts, depth: usize) -> Self {
        facts.literals.sort();
        facts.booleans.sort_unstable();
        facts.operators.sort();
        let Facts { literals, booleans, operators, names, .. } = facts;
        Self { kind, negated, text, literals, booleans, operators, names, depth }
    }

    /// It is the same assertion, at a place that is reached as often.
    pub(super) fn is_same(&self, after: &Self) -> bool {
        self.kind == after.kind && self.negated == after.negated && self.text == after.text && after.depth <= self.depth
    }

    /// It may stand in place of this one: it compares the same values in the same way, and only adapters such as
    /// `clone` or `iter` came or went.
    pub(super) fn may_become(&self, after: &Self) -> bool {
        self.kind == after.kind
            && self.negated == after.negated
            && after.depth <= self.depth
            && self.literals == after.literals
            && self.booleans == after.booleans
            && self.operators == after.operators
            && self.names.symmetric_difference(&after.names).all(|name| is_adapter(name))
            && (!after.is_constant() || self.is_constant())
    }

    /// It names nothing, so it cannot fail, or always does.
    pub(super) fn is_constant(&self) -> bool {
        let alternative = self.booleans.contains(&true) && self.operators.iter().any(|operator| operator == "||");
        let same =
            self.kind.ends_with("assert_eq") && self.text.split_once(" , ").is_some_and(|(one, other)| one == other);
        self.names.is_empty() || alternative || same
    }
}

/// Names that come and go when the compiler's or clippy's suggestions are applied, without changing a value.
pub(super) fn is_adapter(name: &str) -> bool {
    const ADAPTERS: [&str; 20] = [
        "clone",
        "cloned",
        "copied",
        "to_string",
        "to_owned",
        "into",
        "from",
        "String",
        "as_str",
        "as_ref",
        "as_slice",
        "as_deref",
        "iter",
        "into_iter",
        "borrow",
        "to_vec",
        "format",
        "str",
        "as_mut",
        "iter_mut",
    ];
    ADAPTERS.contains(&name)
}
/// What an assertion claims: its kind, whether it claims the opposite, and its operands.
type Claim<'e> = (&'static str, bool, Vec<(&'e Expr, Facts)>);

/// Brings `assert!(a == b)`, `assert_eq!(a, true)` and `assert!(!a)` to one form.
///
/// Facts are passed on and never read again: reading them twice would take exponential time in nested assertions.
fn canonical<'e>(base: &str, operands: &[(&'e Expr, Facts)]) -> Claim<'e> {
    match (base, operands) {
        ("assert", [(condition, facts)]) => truth(condition, facts.clone(), false),
        (base, operands) => comparison(base == "assert_eq", operands),
    }
}

/// The claim that an expression is true, or false when `negated`.
fn truth(expr: &Expr, mut facts: Facts, negated: bool) -> Claim<'_> {
    let (expr, not) = without_not(expr);
    if not {
        facts.remove_operator("!");
    }
    let negated = negated != not;
    match expr {
        Expr::Binary(binary) if matches!(binary.op, BinOp::Eq(_) | BinOp::Ne(_)) => {
            let is_eq = matches!(binary.op, BinOp::Eq(_));
            facts.remove_operator(if is_eq { "==" } else { "!=" });
            comparison(is_eq != negated, &[(&*binary.left, facts), (&*binary.right, Facts::default())])
        }
        other => ("assert", negated, vec![(other, facts)]),
    }
}

/// The claim that two operands are equal, or that they differ.
fn comparison<'e>(equal: bool, sides: &[(&'e Expr, Facts)]) -> Claim<'e> {
    if let [left, right] = sides {
        for (one, other) in [(left, right), (right, left)] {
            if let Expr::Lit(literal) = one.0
                && let Lit::Bool(wanted) = &literal.lit
            {
                let mut facts = left.1.clone();
                facts.merge(right.1.clone());
                if let Some(at) = facts.booleans.iter().position(|value| *value == wanted.value) {
                    facts.booleans.remove(at);
                }
                return truth(other.0, facts, wanted.value != equal);
            }
        }
    }
    (if equal { "assert_eq" } else { "assert_ne" }, false, sides.to_vec())
}

fn without_not(mut expr: &Expr) -> (&Expr, bool) {
    let mut negated = false;
    loop {
        match expr {
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                negated = !negated;
                expr = &unary.expr;
            }
            Expr::Paren(inner) => expr = &inner.expr,
            Expr::Group(inner) => expr = &inner.expr,
            _ => return (expr, negated),
        }
    }
}
