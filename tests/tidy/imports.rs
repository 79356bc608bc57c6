//! Who imports what: the files of `src/` as modules, and the module that each name of theirs is defined in.

use std::collections::BTreeMap;

use crate::sources::{Source, sources};

/// A module, by its path below the crate.
pub(crate) type Module = Vec<String>;

/// That a module names another one.
pub(crate) struct Import {
    pub(crate) from: Module,
    pub(crate) to: Module,
    /// Where, and what stands there.
    pub(crate) place: String,
}

/// The modules, each with the names that it imports or hands on: by name, the path that stands for it.
struct Modules(BTreeMap<Module, BTreeMap<String, Vec<String>>>);

/// Every import between files of the program. Tests may import what they like.
pub(crate) fn imports() -> Vec<Import> {
    let sources: Vec<(Module, Source)> = sources()
        .into_iter()
        .filter(|source| !is_test(&source.path))
        .map(|source| (module_of(&source.path), source))
        .collect();
    let names = |(module, source): &(Module, Source)| {
        let paths = paths(&source.text).into_iter().filter(|path| path.is_use);
        let names = paths.map(|path| (path.name.clone(), absolute(module, &path.segments))).collect();
        (module.clone(), names)
    };
    let modules = Modules(sources.iter().map(names).collect());
    let mut found = Vec::new();
    for (module, source) in &sources {
        for path in paths(&source.text) {
            let to = modules.home(&absolute(module, &path.segments), 0);
            let place = format!("{}:{} {}", source.path, path.line, path.segments.join("::"));
            found.push(Import { from: module.clone(), to, place });
        }
    }
    assert!(found.len() > 500, "the imports were not found");
    found
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("_test.rs") || path.contains("/tests/")
}

fn module_of(path: &str) -> Module {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').filter(|part| *part != "lib").map(str::to_owned).collect()
}

/// A path as it stands somewhere.
struct Written {
    segments: Vec<String>,
    /// What it is called here.
    name: String,
    is_use: bool,
    line: usize,
}

/// The paths that begin at the crate, at this module or above it, and all that are brought in by `use`.
fn paths(text: &str) -> Vec<Written> {
    let mut found = Vec::new();
    let mut statement: Option<(usize, String)> = None;
    // What stands below is for unit tests.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    for (place, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        let begins = line.split_once("use ").filter(|(before, _)| {
            let before = before.trim();
            before.is_empty() || before == "pub" || (before.starts_with("pub(") && before.ends_with(')'))
        });
        match (&mut statement, begins) {
            (Some((_, text)), _) => text.push_str(line),
            (None, Some((_, rest))) => statement = Some((place + 1, rest.to_owned())),
            (None, None) => found.extend(inline(line, place + 1)),
        }
        if let Some((line, text)) = statement.take_if(|(_, text)| text.contains(';')) {
            let tree: String = text.replace(" as ", "@").split_whitespace().collect();
            expand(tree.trim_end_matches(';'), &[], line, &mut found);
        }
    }
    found
}

/// Paths within code.
fn inline(line: &str, number: usize) -> Vec<Written> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in line.match_indices(start) {
            if line[..at].ends_with(|letter: char| is_part(letter) || letter == ':' || letter == '$') {
                continue;
            }
            let end = line[at..].find(|letter: char| !is_part(letter) && letter != ':');
            let path = line[at..].split_at(end.unwrap_or(line.len() - at)).0.trim_end_matches(':');
            let segments: Vec<String> = path.split("::").map(str::to_owned).collect();
            found.push(Written { name: String::new(), segments, is_use: false, line: number });
        }
    }
    found
}

/// The paths of a tree such as `a::{b, c::d}`; `@` stands for `as`.
fn expand(tree: &str, above: &[String], line: usize, found: &mut Vec<Written>) {
    let Some((before, rest)) = tree.split_once('{') else {
        let (path, renamed) = tree.split_once('@').map_or((tree, None), |(path, name)| (path, Some(name)));
        let mut segments = above.to_vec();
        segments.extend(path.split("::").map(str::to_owned));
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let name = renamed.unwrap_or_else(|| segments.last().unwrap()).to_owned();
        found.push(Written { segments, name, is_use: true, line });
        return;
    };
    let mut above = above.to_vec();
    above.extend(before.split("::").filter(|part| !part.is_empty()).map(str::to_owned));
    let inner = rest.strip_suffix('}').unwrap_or_else(|| panic!("line {line}: {tree}"));
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if at > start {
                    expand(&inner[start..at], &above, line, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// A path from the crate on; the paths of other crates are kept as they are, and lead to no module.
fn absolute(module: &Module, segments: &[String]) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut segments = segments.iter().peekable();
    if segments.next_if(|first| *first == "crate").is_none() {
        path.clone_from(module);
        segments.next_if(|first| *first == "self");
        while segments.next_if(|part| *part == "super").is_some() {
            path.pop();
        }
    }
    path.extend(segments.cloned());
    path
}

impl Modules {
    /// The module in which what a path names is defined, as far as it is one of ours.
    fn home(&self, path: &[String], depth: usize) -> Module {
        let mut module = Module::new();
        for (place, part) in path.iter().enumerate() {
            let mut below = module.clone();
            below.push(part.clone());
            if self.is_module(&below) {
                module = below;
                continue;
            }
            let handed_on = self.0.get(&module).and_then(|names| names.get(part));
            if let Some(target) = handed_on.filter(|target| target[..] != path[..=place] && depth < 10) {
                let rest = &path[place + 1..];
                return self.home(&[target.as_slice(), rest].concat(), depth + 1);
            }
            break;
        }
        module
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.0.contains_key(path)
    }
}
