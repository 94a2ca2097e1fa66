//! Places: by which name an expression begins, and what stands behind it that outlives the function.

use std::collections::BTreeSet;

use syn::{Expr, FnArg, Pat, ReceiverKind, Signature, Type};

/// What is called on something to change it through what it gives; so does what ends in `_mut`.
const LENDS: &[&str] =
    &["blocking_lock", "entry", "get_or_insert_with", "lock", "or_default", "or_insert", "or_insert_with"];
/// What hands on what is lent.
const HANDS_ON: &[&str] = &["expect", "map_err", "ok", "ok_or", "ok_or_else", "unwrap", "unwrap_or_else"];

/// What a function can change that outlives it: `self` behind a reference, and parameters behind `&mut` of which the type is
/// named. Of others, such as any `impl Write`, nothing is known but that they are fed.
pub(super) fn changeable(signature: &Signature) -> BTreeSet<String> {
    let generics: Vec<String> = signature.generics.type_params().map(|one| one.ident.to_string()).collect();
    let mut all = BTreeSet::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) if matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                all.insert("self".to_owned());
            }
            FnArg::Typed(typed) => {
                let Type::Reference(reference) = &*typed.ty else { continue };
                let Type::Path(named) = &*reference.elem else { continue };
                let is_fed = named.path.segments.last().is_none_or(|last| {
                    last.ident == "Formatter" || generics.iter().any(|generic| last.ident == generic)
                });
                if reference.mutability.is_some() && !is_fed {
                    all.extend(names(&typed.pat));
                }
            }
            FnArg::Receiver(_) => {}
        }
    }
    all
}

/// The name that a place begins with.
pub(super) fn root(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(inner) => root(&inner.base),
        Expr::Index(inner) => root(&inner.expr),
        Expr::Paren(inner) => root(&inner.expr),
        Expr::Unary(inner) => root(&inner.expr),
        Expr::Reference(inner) => root(&inner.expr),
        Expr::Try(inner) => root(&inner.expr),
        Expr::Await(inner) => root(&inner.base),
        Expr::MethodCall(call) => root(&call.receiver),
        _ => None,
    }
}

/// All names that a pattern binds, as far as it is of the usual kinds.
pub(super) fn names(pat: &Pat) -> Vec<String> {
    match pat {
        Pat::Ident(ident) => vec![ident.ident.to_string()],
        Pat::Paren(inner) => names(&inner.pat),
        Pat::Reference(inner) => names(&inner.pat),
        Pat::Type(inner) => names(&inner.pat),
        Pat::Tuple(inner) => inner.elems.iter().flat_map(names).collect(),
        Pat::TupleStruct(inner) => inner.elems.iter().flat_map(names).collect(),
        Pat::Struct(inner) => inner.fields.iter().flat_map(|field| names(&field.pat)).collect(),
        Pat::Slice(inner) => inner.elems.iter().flat_map(names).collect(),
        Pat::Or(inner) => inner.cases.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// The name that a pattern binds, where it is nothing else.
pub(super) fn only_name(pat: &Pat) -> Option<String> {
    match pat {
        Pat::Type(inner) => only_name(&inner.pat),
        Pat::Ident(ident) => Some(ident.ident.to_string()),
        _ => None,
    }
}

/// The name that an expression is, where it is nothing else.
pub(super) fn only_path(expr: &Expr) -> Option<String> {
    matches!(expr, Expr::Path(_)).then(|| root(expr)).flatten()
}

/// Whether a method gives something through which others change what it is called on.
pub(super) fn is_lending(name: &str, arguments: usize) -> bool {
    name.ends_with("_mut") || LENDS.contains(&name) || (name == "write" && arguments == 0)
}

/// Whether a method gives on what it is called on.
pub(super) fn hands_on(name: &str) -> bool {
    HANDS_ON.contains(&name)
}

/// Whether an error is made by calling it.
pub(super) fn is_err(function: &Expr) -> bool {
    matches!(function, Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Err"))
}

/// Whether what stands on the left is another one afterwards.
pub(super) fn is_assignment(op: syn::BinOp) -> bool {
    use syn::BinOp::{
        AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, DivAssign, MulAssign, RemAssign, ShlAssign, ShrAssign,
        SubAssign,
    };
    matches!(
        op,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}
