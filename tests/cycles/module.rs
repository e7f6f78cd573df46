//! The source of one module: its children, its imports, its items and the paths that it names.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// A path as written, segment by segment: `crate::http::Problem`.
pub type Path = Vec<String>;

/// One name that a `use` brings into a module.
pub struct Import {
    /// The path behind the name.
    pub path: Path,
    /// Whether the import also offers the name to other modules: `pub use`.
    pub offered: bool,
}

/// The declarations and names in the source of a module.
#[derive(Default)]
pub struct Module {
    /// Modules declared by `mod name;`: their sources are files of their own.
    pub files: BTreeSet<String>,
    /// Modules declared by `mod name { ... }`.
    pub inline: BTreeMap<String, Module>,
    /// The names that `use` declarations bring in.
    pub imports: BTreeMap<String, Import>,
    /// The modules behind `use path::*`.
    pub globs: Vec<Path>,
    /// The items that the module defines itself.
    pub items: BTreeSet<String>,
    /// Every path of two or more segments outside `use` declarations.
    pub paths: BTreeSet<Path>,
    /// Every identifier outside `use` declarations.
    pub identifiers: BTreeSet<String>,
}

impl Module {
    /// Reads a source file. Fails where the text is not made of Rust tokens.
    pub fn read(text: &str) -> Result<Self, String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
        let mut module = Self::default();
        module.scan(tokens, true);
        Ok(module)
    }

    /// Reads one level of tokens. Items count only at the module's own level (`outermost`), while
    /// imports and paths count at every depth. Items that only tests compile are left out.
    fn scan(&mut self, tokens: TokenStream, outermost: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut offered = false;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    if next.is_some_and(|next| next.to_string().replace(' ', "") == "[cfg(test)]") {
                        at = after_item(&tokens, at + 2);
                        continue;
                    }
                }
                TokenTree::Ident(word) if word == "pub" => {
                    offered = true;
                    at += 1;
                    if matches!(next, Some(TokenTree::Group(_))) {
                        at += 1;
                    }
                    continue;
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = end_of_statement(&tokens, at);
                    self.import(&tokens[at + 1..end], &mut Vec::new(), offered);
                    at = end;
                }
                TokenTree::Ident(word) if word == "mod" => match (next, tokens.get(at + 2)) {
                    (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) => {
                        let mut inner = Self::default();
                        inner.scan(body.stream(), true);
                        self.inline.insert(name.to_string(), inner);
                        at += 2;
                    }
                    (Some(TokenTree::Ident(name)), _) => {
                        self.files.insert(name.to_string());
                        at += 1;
                    }
                    _ => {}
                },
                TokenTree::Ident(word) => {
                    let defines = DEFINING.iter().any(|keyword| word == keyword);
                    if let (true, true, Some(TokenTree::Ident(name))) = (defines, outermost, next) {
                        self.items.insert(name.to_string());
                    }
                    at = self.path(&tokens, at);
                }
                TokenTree::Group(group) => self.scan(group.stream(), false),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            offered = false;
            at += 1;
        }
    }

    /// Records the path that begins at a token. Returns the position of the path's last segment.
    fn path(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        let mut path = vec![tokens[at].to_string()];
        while let [TokenTree::Punct(first), TokenTree::Punct(second), TokenTree::Ident(segment)] =
            tokens.get(at + 1..at + 4).unwrap_or_default()
            && (first.as_char(), second.as_char()) == (':', ':')
        {
            path.push(segment.to_string());
            at += 3;
        }
        self.identifiers.insert(path[0].clone());
        if path.len() > 1 {
            self.paths.insert(path);
        }
        at
    }

    /// Records the names of one `use` tree, whose path so far is `prefix`.
    fn import(&mut self, tree: &[TokenTree], prefix: &mut Path, offered: bool) {
        let depth = prefix.len();
        let mut alias = None;
        for (place, token) in tree.iter().enumerate() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    alias = tree.get(place + 1).map(ToString::to_string);
                    break;
                }
                TokenTree::Ident(segment) => prefix.push(segment.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in inner.split(|token| is_mark(token, ',')) {
                        if !branch.is_empty() {
                            self.import(branch, prefix, offered);
                        }
                    }
                    prefix.truncate(depth);
                    return;
                }
                token if is_mark(token, '*') => {
                    self.globs.push(prefix.clone());
                    prefix.truncate(depth);
                    return;
                }
                _ => {}
            }
        }
        // `use a::{self}` names `a`.
        let mut path = prefix.clone();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        self.imports.insert(name, Import { path, offered });
        prefix.truncate(depth);
    }
}

const DEFINING: [&str; 9] =
    ["struct", "enum", "fn", "trait", "type", "const", "static", "union", "macro_rules"];

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// The position of the semicolon that ends the statement at a token.
fn end_of_statement(tokens: &[TokenTree], at: usize) -> usize {
    let length = tokens[at..].iter().take_while(|token| !is_mark(token, ';')).count();
    at + length
}

/// The position after the item that begins at a token: after its semicolon or its body in braces.
fn after_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| {
        is_mark(token, ';')
            || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    let rest = tokens.get(at..).unwrap_or_default();
    rest.iter().position(ends).map_or(tokens.len(), |length| at + length + 1)
}
