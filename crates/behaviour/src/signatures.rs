//! Functions by their signatures: what they take, what they give, and what they ask of parameters.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, GenericParam, Generics, Signature, WherePredicate};

use crate::items::Owner;

/// Code as text, tokens apart.
pub(crate) type TokenText = String;

/// A parameter of a type, an impl or a function, apart from lifetimes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Param {
    pub name: String,
    /// A constant: its type.
    pub constant: Option<String>,
    /// What is asked of it, where it is declared and behind `where`.
    pub bounds: String,
    /// What is asked behind `where` of the items that it gives, where something is.
    pub items: Option<String>,
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// Its type; for `self` as it is written.
    pub ty: String,
    pub by_mut: bool,
    pub receiver: bool,
}

/// A function or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub name: String,
    pub owner: Option<Owner>,
    /// Whether it is public where it stands, or a part of a trait.
    pub public: bool,
    pub inputs: Vec<Input>,
    /// Empty when it gives nothing back.
    pub output: TokenText,
    pub params: Vec<Param>,
    /// What it asks of parameters that are not its own, but of what it belongs to: the name, and the bounds.
    pub asks: Vec<(String, TokenText)>,
    /// Why it cannot be called like any other, such as `unsafe`.
    pub special: Option<&'static str>,
    /// What it gives back has to be waited for.
    pub is_async: bool,
    /// All of it, to be compared.
    pub text: TokenText,
    /// The names in its body.
    pub mentions: BTreeSet<String>,
}

/// A function, of its signature and its body.
pub(crate) fn function(
    signature: &Signature,
    owner: Option<Owner>,
    public: bool,
    text_of_all: TokenText,
    body: TokenStream,
) -> Function {
    let inputs = signature.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => {
            let ty = text(receiver);
            Input { by_mut: ty.starts_with('&') && ty.contains("mut "), ty, receiver: true }
        }
        FnArg::Typed(typed) => {
            let ty = text(&typed.ty);
            let by_mut = ty.strip_prefix('&').is_some_and(|rest| {
                let rest = rest.trim_start();
                let rest =
                    if rest.starts_with('\'') { rest.split_once(' ').map_or("", |(_, rest)| rest) } else { rest };
                rest.starts_with("mut ")
            });
            Input { by_mut, ty, receiver: false }
        }
    });
    let mentions = names(&body);
    let special = match () {
        () if text(&signature.safety) == "unsafe" => Some("it is unsafe"),
        () if signature.variadic.is_some() => Some("it is variadic"),
        () => None,
    };
    Function {
        name: signature.ident.to_string(),
        owner,
        public,
        inputs: inputs.collect(),
        output: match &signature.output {
            syn::ReturnType::Default => String::new(),
            syn::ReturnType::Type(_, ty) => text(ty),
        },
        params: params(&signature.generics),
        asks: asks(&signature.generics),
        special,
        is_async: signature.asyncness.is_some(),
        text: text_of_all,
        mentions,
    }
}

/// What is asked behind `where` of names that are no parameters here.
fn asks(generics: &Generics) -> Vec<(String, TokenText)> {
    let own = |name: &str| generics.type_params().any(|param| param.ident == name);
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let of = predicates.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => {
            let name = text(&predicate.bounded_ty);
            let is_name = name.chars().all(|one| one.is_alphanumeric() || one == '_') && name != "Self" && !own(&name);
            is_name.then(|| (name, text(&predicate.bounds)))
        }
        _ => None,
    });
    of.collect()
}

/// The parameters that stand between angle brackets, without lifetimes.
pub(crate) fn params(generics: &Generics) -> Vec<Param> {
    let behind_where = |name: &str| -> String {
        let Some(all) = &generics.where_clause else { return String::new() };
        let of = all.predicates.iter().filter_map(|predicate| match predicate {
            WherePredicate::Type(predicate) if text(&predicate.bounded_ty) == name => Some(text(&predicate.bounds)),
            _ => None,
        });
        of.collect::<Vec<_>>().join(" + ")
    };
    let all = generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => {
            let name = param.ident.to_string();
            let bounds = format!("{} + {}", text(&param.bounds), behind_where(&name));
            let items = Some(behind_where(&format!("{name} :: Item"))).filter(|items| !items.is_empty());
            Some(Param { name, constant: None, bounds, items })
        }
        GenericParam::Const(param) => Some(Param {
            name: param.ident.to_string(),
            constant: Some(text(&param.ty)),
            bounds: String::new(),
            items: None,
        }),
        _ => None,
    });
    all.collect()
}

/// All names in code.
pub(crate) fn names(tokens: &TokenStream) -> BTreeSet<String> {
    fn walk(tokens: TokenStream, all: &mut BTreeSet<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => drop(all.insert(name.to_string())),
                TokenTree::Group(group) => walk(group.stream(), all),
                _ => {}
            }
        }
    }
    let mut all = BTreeSet::new();
    walk(tokens.clone(), &mut all);
    all
}

/// Code as text without docs, which say nothing.
pub(crate) fn text(of: &impl ToTokens) -> TokenText {
    fn without_docs(tokens: TokenStream) -> TokenStream {
        let mut kept: Vec<TokenTree> = Vec::new();
        for token in tokens {
            if let TokenTree::Group(group) = &token {
                let is_doc = group.delimiter() == proc_macro2::Delimiter::Bracket
                    && group.stream().into_iter().next().is_some_and(|first| first.to_string() == "doc");
                let mark = |token: Option<&TokenTree>| token.is_some_and(|token| token.to_string() == "#");
                if is_doc && mark(kept.last()) {
                    kept.pop();
                    continue;
                }
                let mut inner = proc_macro2::Group::new(group.delimiter(), without_docs(group.stream()));
                inner.set_span(group.span());
                kept.push(TokenTree::Group(inner));
            } else {
                kept.push(token);
            }
        }
        kept.into_iter().collect()
    }
    without_docs(of.to_token_stream()).to_string()
}
