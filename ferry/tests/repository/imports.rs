//! Which file of a package uses what of which other file, as a graph. `circles.rs` looks for circles in it.
//!
//! A file uses another one if it imports a name that the other one defines, or writes such a name with its
//! path. A name that is passed on (`pub use`) counts as the name of the file that defines it. Not counted are
//! modules that are only declared, names that are only passed on, calls of methods, and what is compiled for
//! tests alone.

use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// A path of names, as in `crate::engine::Engine`.
type Names = Vec<String>;

/// The most steps from a path to the module that it leads to, through all modules that pass the name on.
const MOST_STEPS: usize = 32;

/// For each file, the files that it uses, and the names for which it does.
pub(crate) type Uses = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// What is imported into a module.
struct Import {
    /// The name that it has here. `*` stands for all names.
    name: String,
    path: Names,
    /// Whether other modules can take it from here.
    is_passed_on: bool,
}

/// A module, which is a file or a part of one.
#[derive(Default)]
struct Module {
    file: PathBuf,
    defined: BTreeSet<String>,
    imports: Vec<Import>,
    /// All other names and paths in it.
    paths: BTreeSet<Names>,
}

impl Module {
    /// Whether its text has a path that begins with this name.
    fn says(&self, name: &str) -> bool {
        self.paths.iter().any(|path| path[0] == name)
    }
}

/// The modules of a library or program, by their paths.
#[derive(Default)]
struct Modules(BTreeMap<Names, Module>);

/// The graph of all files below a directory `src`. Their paths begin with the directory.
pub(crate) fn uses(src: &Path) -> Uses {
    let mut left = sources(src);
    let mut all: Uses = left.iter().map(|file| (file.clone(), BTreeMap::new())).collect();
    // First the library and the program, then programs of other names. A file that is left is one of these.
    for root in ["lib.rs", "main.rs"].map(|name| src.join(name)).into_iter().chain(left.clone()) {
        if !left.contains(&root) {
            continue;
        }
        let mut modules = Modules::default();
        modules.load(&root, &[], root.parent().unwrap());
        for module in modules.0.values() {
            left.remove(&module.file);
        }
        for (user, used, name) in modules.uses() {
            all.entry(user).or_default().entry(used).or_default().insert(name);
        }
    }
    all
}

/// All sources below a directory.
fn sources(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of_entry = |path: PathBuf| {
        if path.is_dir() {
            sources(&path)
        } else {
            path.extension().is_some_and(|it| it == "rs").then_some(path).into_iter().collect()
        }
    };
    entries.flat_map(of_entry).collect()
}

impl Modules {
    /// Reads the file of a module. The files of its children are in `directory`.
    fn load(&mut self, file: &Path, path: &[String], directory: &Path) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read(file, path, directory, &parsed.items);
    }

    /// Reads the items of a module.
    fn read(&mut self, file: &Path, path: &[String], directory: &Path, items: &[Item]) {
        let mut reader =
            Reader { module: Module { file: file.into(), ..Module::default() }, children: Vec::new() };
        for item in items {
            reader.visit_item(item);
            reader.module.defined.extend(name_of(item));
        }
        let Reader { module, children } = reader;
        self.0.insert(path.into(), module);
        for child in children {
            let name = child.ident.to_string();
            let path = [path, std::slice::from_ref(&name)].concat();
            let below = directory.join(&name);
            match (&child.content, stated_path(&child.attrs)) {
                (Some((_, items)), _) => self.read(file, &path, &below, items),
                (None, Some(stated)) => {
                    let file = file.with_file_name(stated);
                    self.load(&file, &path, file.parent().unwrap());
                }
                (None, None) => {
                    let beside = directory.join(name + ".rs");
                    let file = if beside.exists() { beside } else { below.join("mod.rs") };
                    self.load(&file, &path, &below);
                }
            }
        }
    }

    /// The module in which a path leads to what it names, and whether it names the module itself. `path` is
    /// written in the module `here`. `None` if it leads into another package.
    fn find(&self, here: &[String], path: &[String], steps: usize) -> Option<(Names, bool)> {
        let (first, rest) = path.split_first()?;
        let steps = steps.checked_sub(1)?;
        match first.as_str() {
            "crate" => self.below(&[], rest, steps),
            "self" => self.below(here, rest, steps),
            "super" => self.find_above(&here[..here.len().checked_sub(1)?], rest, steps),
            _ => self.below(here, path, steps).filter(|_| self.knows(here, first)),
        }
    }

    /// After `super`, which may be followed by another one.
    fn find_above(&self, here: &[String], path: &[String], steps: usize) -> Option<(Names, bool)> {
        match path {
            [first, ..] if first == "super" => self.find(here, path, steps),
            _ => self.below(here, path, steps),
        }
    }

    /// Whether something in this module has the name.
    fn knows(&self, module: &[String], name: &str) -> bool {
        let Module { defined, imports, .. } = &self.0[module];
        let is_module = self.0.contains_key(&[module, &[name.to_owned()]].concat());
        is_module || defined.contains(name) || imports.iter().any(|import| import.name == name)
    }

    /// The same as [`find`](Self::find), for a path that begins in a module.
    fn below(&self, module: &[String], path: &[String], steps: usize) -> Option<(Names, bool)> {
        let Some((first, rest)) = path.split_first() else { return Some((module.into(), true)) };
        let steps = steps.checked_sub(1)?;
        let child = [module, std::slice::from_ref(first)].concat();
        if self.0.contains_key(&child) && (!rest.is_empty() || !self.0[module].defined.contains(first)) {
            return self.below(&child, rest, steps);
        }
        let Module { defined, imports, .. } = &self.0[module];
        if defined.contains(first) {
            return Some((module.into(), false));
        }
        if let Some(import) = imports.iter().find(|import| import.name == *first) {
            let onward = [&import.path, rest].concat();
            // It may be the name of a package, as in `use log;`.
            return if import.path[0] == *first { None } else { self.find(module, &onward, steps) };
        }
        let all = imports.iter().filter(|import| import.name == "*");
        let mut all = all.filter_map(|import| self.find(module, &import.path, steps));
        match all.find(|(other, is_module)| *is_module && other != module && self.knows(other, first)) {
            Some((other, _)) => self.below(&other, path, steps),
            // What a macro defines.
            None => Some((module.into(), false)),
        }
    }

    /// Each use of one file by another: who uses what, and by which name.
    fn uses(&self) -> Vec<(PathBuf, PathBuf, String)> {
        let mut all = Vec::new();
        for (here, module) in &self.0 {
            let mut note = |path: &Names, other: &Names| {
                let file = &self.0[other].file;
                if *file != module.file {
                    all.push((module.file.clone(), file.clone(), path.join("::")));
                }
            };
            for Import { name, path, is_passed_on } in &module.imports {
                let Some((other, is_module)) = self.find(here, path, MOST_STEPS) else { continue };
                match module.says(name) {
                    // The paths that begin with the module's name say what is used of it.
                    true if is_module => {}
                    false if *is_passed_on => {}
                    _ => note(path, &other),
                }
            }
            for path in module.paths.iter().filter(|path| path.len() > 1) {
                if let Some((other, _)) = self.find(here, path, MOST_STEPS) {
                    note(path, &other);
                }
            }
        }
        all
    }
}

/// Collects what is in a module.
struct Reader {
    module: Module,
    children: Vec<ItemMod>,
}

impl Reader {
    /// Notes the paths in the text of a macro, where a name in braces in a string is one too.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.note(&mut path);
                    }
                    path.push(name.to_string());
                }
                TokenTree::Group(group) => {
                    self.note(&mut path);
                    self.read_tokens(group.stream());
                }
                TokenTree::Literal(literal) => {
                    self.note(&mut path);
                    for words in literal.to_string().split('{').skip(1) {
                        let is_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
                        let end = words.find(|letter| !is_of_name(letter)).unwrap_or(words.len());
                        self.note(&mut vec![words[..end].to_owned()]);
                    }
                }
                TokenTree::Punct(_) => self.note(&mut path),
            }
            colons = 0;
        }
        self.note(&mut path);
    }

    fn note(&mut self, path: &mut Names) {
        if path.first().is_some_and(|first| !first.is_empty()) {
            self.module.paths.insert(std::mem::take(path));
        }
    }

    fn import(&mut self, tree: &UseTree, before: &Names, is_passed_on: bool) {
        let with = |name: String| {
            if name == "self" { before.clone() } else { [before.as_slice(), &[name]].concat() }
        };
        let (name, path) = match tree {
            UseTree::Path(path) => {
                return self.import(&path.tree, &with(path.ident.to_string()), is_passed_on);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, before, is_passed_on));
            }
            UseTree::Name(name) if name.ident == "self" => (before[before.len() - 1].clone(), before.clone()),
            UseTree::Name(name) => (name.ident.to_string(), with(name.ident.to_string())),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(rename.ident.to_string())),
            UseTree::Glob(_) => ("*".to_owned(), before.clone()),
        };
        self.module.imports.push(Import { name, path, is_passed_on });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, child: &'ast ItemMod) {
        self.children.push(child.clone());
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &Names::new(), !matches!(item.vis, Visibility::Inherited));
        }
    }

    /// From where something can be seen is no use of what is there.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let mut names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.note(&mut names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        visit::visit_macro(self, called);
        self.read_tokens(called.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.read_tokens(list.tokens.clone());
        }
    }
}

/// Whether something is compiled for tests alone.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

/// The file that `#[path = "…"]` names.
fn stated_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines, beside those of modules and imports.
fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
