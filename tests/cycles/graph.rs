//! The files of one crate and the arrows between them.

use super::module::{Module, Path};
use std::collections::{BTreeMap, BTreeSet};

/// The sources of a crate: the path of each file and its text.
pub type Sources = BTreeMap<String, String>;

/// The files whose names each file uses.
pub type Arrows = BTreeMap<String, BTreeSet<String>>;

/// A module of the crate and the file that contains its source.
struct ModuleFile {
    file: String,
    module: Module,
}

/// The modules of a crate by their path; the root's path is empty.
struct ModuleTree {
    modules: BTreeMap<Path, ModuleFile>,
}

/// The target of a path.
enum Place {
    Module(Path),
    /// An item in a file.
    Item(String),
}

/// The arrows between the files of a crate whose root is the file `root`.
///
/// There is an arrow from file A to file B where code of A names an item that B defines, in a `use`
/// declaration or in a path. A name that `mod.rs` offers (`pub use`) leads to the file that defines
/// the item. Offering a name is no arrow, and neither is `mod name;`. Items that the `mod.rs` of a
/// folder defines are common to the files of the folder, so their use there is no arrow.
pub fn arrows(sources: &Sources, root: &str) -> Result<Arrows, String> {
    let mut tree = ModuleTree { modules: BTreeMap::new() };
    tree.read(sources, root, Vec::new())?;
    let mut arrows = Arrows::new();
    for (at, found) in &tree.modules {
        let module = &found.module;
        let targets = arrows.entry(found.file.clone()).or_default();
        let imports = module.imports.iter();
        let used =
            imports.filter(|(name, import)| !import.offered || module.identifiers.contains(*name));
        let imported = used.map(|(_, import)| &import.path);
        for path in imported.chain(&module.paths) {
            if let Some(Place::Item(file)) = tree.follow(at, path, 0)
                && !leads_to(&file, &found.file)
            {
                targets.insert(file);
            }
        }
    }
    Ok(arrows)
}

/// The longest chain of imports that is followed. A longer chain leads back to itself.
const IMPORTS_FOLLOWED_MAX: usize = 32;

impl ModuleTree {
    /// Reads a file as the module `path`, and the files of the modules that it declares.
    fn read(&mut self, sources: &Sources, file: &str, path: Path) -> Result<(), String> {
        let text = sources.get(file).ok_or_else(|| format!("no file {file}"))?;
        let module = Module::read(text).map_err(|error| format!("{file}: {error}"))?;
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let stem = name.trim_end_matches(".rs");
        let folder = match stem {
            "lib" | "main" | "mod" => folder.to_owned(),
            stem => format!("{folder}/{stem}"),
        };
        self.enter(sources, file, &folder, path, module)
    }

    /// Adds a module and all modules within it.
    fn enter(
        &mut self,
        sources: &Sources,
        file: &str,
        folder: &str,
        path: Path,
        mut module: Module,
    ) -> Result<(), String> {
        for name in &module.files {
            let beside = format!("{folder}/{name}.rs");
            let within = format!("{folder}/{name}/mod.rs");
            let child = if sources.contains_key(&beside) { beside } else { within };
            self.read(sources, &child, joined(&path, name))?;
        }
        for (name, inner) in std::mem::take(&mut module.inline) {
            let folder = format!("{folder}/{name}");
            self.enter(sources, file, &folder, joined(&path, &name), inner)?;
        }
        self.modules.insert(path, ModuleFile { file: file.to_owned(), module });
        Ok(())
    }

    /// Finds the target of a path in the module `from`. Returns `None` where the path leads out of
    /// the crate or begins with an item of the module itself.
    fn follow(&self, from: &Path, path: &[String], followed: usize) -> Option<Place> {
        if followed > IMPORTS_FOLLOWED_MAX {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut place = match first.as_str() {
            "crate" => Place::Module(Vec::new()),
            "self" => Place::Module(from.clone()),
            "super" => Place::Module(parent(from)?),
            name => self.named(from, name, followed)?,
        };
        while let (Place::Module(at), Some((segment, after))) = (&place, rest.split_first()) {
            place = match segment.as_str() {
                "super" => Place::Module(parent(at)?),
                // A name that is not found comes from a macro of the module itself.
                name => self
                    .named(at, name, followed)
                    .or_else(|| Some(Place::Item(self.modules.get(at)?.file.clone())))?,
            };
            rest = after;
        }
        Some(place)
    }

    /// Finds a name in a module: a child, an import, or an item of its own.
    fn named(&self, at: &Path, name: &str, followed: usize) -> Option<Place> {
        let child = joined(at, name);
        if self.modules.contains_key(&child) {
            return Some(Place::Module(child));
        }
        let found = self.modules.get(at)?;
        if found.module.items.contains(name) {
            return Some(Place::Item(found.file.clone()));
        }
        if let Some(import) = found.module.imports.get(name) {
            // `use serde::Deserialize` leads out of the crate, and so does `use serde`.
            let itself = import.path.first().is_some_and(|first| first == name);
            return if itself { None } else { self.follow(at, &import.path, followed + 1) };
        }
        found.module.globs.iter().find_map(|glob| {
            let Some(Place::Module(offering)) = self.follow(at, glob, followed + 1) else {
                return None;
            };
            if offering == *at { None } else { self.named(&offering, name, followed + 1) }
        })
    }
}

/// Whether the file `defining` is the file `using` itself, or the `mod.rs` or `lib.rs` of a folder
/// that contains `using`.
fn leads_to(defining: &str, using: &str) -> bool {
    let folder = ["mod.rs", "lib.rs"].iter().find_map(|name| defining.strip_suffix(name));
    defining == using
        || folder.is_some_and(|folder| folder.ends_with('/') && using.starts_with(folder))
}

fn joined(path: &Path, name: &str) -> Path {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn parent(path: &Path) -> Option<Path> {
    path.split_last().map(|(_, above)| above.to_vec())
}
