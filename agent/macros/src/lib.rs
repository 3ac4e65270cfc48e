//! The attribute `#[lockprof::test]`. See the package `lockprof`.
use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Marks a test that fails if it leaves something stuck or leaked: see `lockprof::test`.
///
/// The function may be `async`, with lockprof's feature `tokio`: then it runs on a current-thread runtime of its own. Other
/// attributes, `#[should_panic]` say, stay what they are.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, function: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        return error("#[lockprof::test] takes no arguments");
    }
    let mut tokens: Vec<TokenTree> = function.into_iter().collect();
    let body = match tokens.pop() {
        Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => body,
        _ => return error("#[lockprof::test] marks a function"),
    };
    let is =
        |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident.to_string() == word);
    if !tokens.iter().any(|token| is(token, "fn")) {
        return error("#[lockprof::test] marks a function");
    }
    let before = tokens.len();
    tokens.retain(|token| !is(token, "async"));
    let run = if tokens.len() < before { "run_async(async move" } else { "run(move ||" };
    let mut call: TokenStream = "::lockprof::test::".parse().unwrap_or_default();
    let (name, arguments) = run.split_once('(').unwrap_or_default();
    call.extend(name.parse::<TokenStream>().unwrap_or_default());
    let mut inner: TokenStream = arguments.parse().unwrap_or_default();
    inner.extend([TokenTree::Group(body)]);
    call.extend([TokenTree::Group(Group::new(Delimiter::Parenthesis, inner))]);
    let mut out: TokenStream = "#[::core::prelude::v1::test]".parse().unwrap_or_default();
    out.extend(tokens);
    out.extend([TokenTree::Group(Group::new(Delimiter::Brace, call))]);
    out
}

fn error(text: &str) -> TokenStream {
    format!("::core::compile_error!({text:?});").parse().unwrap_or_default()
}
