//! What is test code, and what nobody outside can name: by attribute, by name and by path.

use kaizen_domain::RelPath;
use syn::Attribute;

use crate::syntax::lex::{Lexeme, lex};

/// Whether an attribute limits what follows to tests.
pub(in crate::review) fn is_cfg_test(attr: &Attribute) -> bool {
    let syn::Meta::List(list) = &attr.meta else { return false };
    if !list.path.is_ident("cfg") {
        return false;
    }
    let text = list.tokens.to_string();
    let words: Vec<Lexeme<'_>> = lex(&text).collect();
    words.iter().any(|word| word.text == "test") && !words.iter().any(|word| word.text == "not")
}

/// Whether an attribute makes a function a test.
pub(in crate::review) fn is_test_attr(attr: &Attribute) -> bool {
    names_a_test(attr.meta.path())
}

/// Whether a path is that of an attribute which makes a function a test.
pub(in crate::review) fn names_a_test(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|segment| is_test_name(&segment.ident.to_string()))
}

/// The last name of an attribute that makes a function a test.
pub(super) fn is_test_name(name: &str) -> bool {
    const NAMES: [&str; 8] =
        ["test", "rstest", "test_case", "quickcheck", "wasm_bindgen_test", "bench", "proptest", "test_log"];
    NAMES.contains(&name)
}

/// Whether the path alone says that the file holds tests.
pub(in crate::review) fn is_test_path(path: &RelPath) -> bool {
    let stem = path.file_name().strip_suffix(".rs").unwrap_or("");
    path.parts().any(|part| matches!(part, "tests" | "benches"))
        || matches!(stem, "tests" | "test")
        || stem.ends_with("_tests")
        || stem.ends_with("_test")
        || stem.starts_with("test_")
}

/// A root that nobody can depend on, so that nothing in it is public.
pub(super) fn is_program(path: &RelPath) -> bool {
    let parts: Vec<&str> = path.parts().collect();
    is_test_path(path)
        || matches!(path.file_name(), "main.rs" | "build.rs")
        || parts.contains(&"examples")
        || parts.contains(&"bin")
}
