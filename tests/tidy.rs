//! What the style asks for and the linter cannot see: file length, module headers, who may name whom.

#[cfg(test)]
mod tidy {
    use std::fs;
    use std::path::{Path, PathBuf};

    const LONGEST_FILE: usize = 500;
    /// Words that say nothing, or that mean something else here.
    const NO_NAMES: [&str; 10] =
        ["job", "jobs", "task", "event", "consumer", "subscription", "utils", "common", "helpers", "manager"];

    struct Source {
        /// Under the repository, with `/`.
        path: String,
        text: String,
    }

    impl Source {
        fn is_in(&self, folders: &[&str]) -> bool {
            folders.iter().any(|folder| {
                self.path.starts_with(&format!("src/{folder}/")) || self.path == format!("src/{folder}.rs")
            })
        }

        /// The lines that are code, with their numbers.
        fn code(&self) -> impl Iterator<Item = (usize, &str)> {
            let numbered = self.text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
            numbered.filter(|(_, line)| !line.starts_with("//"))
        }

        fn lines_with(&self, word: &str) -> Vec<String> {
            let hits = self.code().filter(|(_, line)| names(line, word));
            hits.map(|(number, line)| format!("{}:{number}: {line}", self.path)).collect()
        }
    }

    /// Whether a line has this text, not as a part of a longer word.
    fn names(line: &str, word: &str) -> bool {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        line.match_indices(word)
            .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
    }

    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    fn sources() -> Vec<Source> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        walk(&root.join("src"), &mut paths);
        assert!(paths.len() > 30, "the sources were not found");
        let read = |path: PathBuf| Source {
            path: path.strip_prefix(root).unwrap().to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap(),
        };
        paths.into_iter().map(read).collect()
    }

    fn assert_none(promise: &str, offences: &[String]) {
        assert!(offences.is_empty(), "{promise}:\n{}", offences.join("\n"));
    }

    /// Every line in `src/`, outside these folders, that names this.
    fn named_outside(folders: &[&str], word: &str) -> Vec<String> {
        sources()
            .iter()
            .filter(|source| !source.is_in(folders))
            .flat_map(|source| source.lines_with(word))
            .collect()
    }

    /// Every line in this folder that names one of these.
    fn named_inside(folder: &str, words: &[&str]) -> Vec<String> {
        let inside: Vec<Source> = sources().into_iter().filter(|source| source.is_in(&[folder])).collect();
        assert!(!inside.is_empty(), "src/{folder} was not found");
        inside.iter().flat_map(|source| words.iter().flat_map(|word| source.lines_with(word))).collect()
    }

    #[test]
    fn files_are_short() {
        let long = |source: &Source| source.text.lines().count() > LONGEST_FILE;
        let offences: Vec<String> = sources().into_iter().filter(long).map(|source| source.path).collect();
        assert_none("a file has at most 500 lines", &offences);
    }

    #[test]
    fn modules_open_with_what_they_are_for() {
        let mute = |source: &Source| !source.text.starts_with("//! ");
        let offences: Vec<String> = sources().into_iter().filter(mute).map(|source| source.path).collect();
        assert_none("a module opens with `//!`", &offences);
    }

    #[test]
    fn modules_have_names_that_say_something() {
        let vague = |source: &Source| {
            let path = source.path.trim_end_matches(".rs");
            path.split('/').any(|part| NO_NAMES.contains(&part))
        };
        let offences: Vec<String> = sources().into_iter().filter(vague).map(|source| source.path).collect();
        assert_none("no module has a name that says nothing", &offences);
    }

    #[test]
    fn only_the_store_and_the_private_postgres_name_sqlx() {
        assert_none(
            "sqlx is named in store/ and embedded/ alone",
            &named_outside(&["store", "embedded"], "sqlx"),
        );
    }

    #[test]
    fn only_configuration_reads_the_environment() {
        let offences = named_outside(&["config"], "std::env");
        assert_none("std::env is named in config/ alone", &offences);
    }

    #[test]
    fn only_send_and_the_shell_open_connections_outward() {
        // The identity provider is the operator's choice, so the egress policy has no say there.
        assert_none(
            "reqwest is named in send/, openid/ and cli/ alone",
            &named_outside(&["send", "openid", "cli"], "reqwest"),
        );
        for word in ["hyper::client", "TcpStream::connect", "tokio_rustls"] {
            assert_none(&format!("{word} is named in send/ alone"), &named_outside(&["send"], word));
        }
    }

    #[test]
    fn the_domain_knows_nothing_else_of_ours() {
        let foreign = |line: &String| line.contains("crate::") && !line.contains("crate::domain");
        let lines: Vec<String> = named_inside("domain", &["crate"]).into_iter().filter(foreign).collect();
        assert_none("domain/ imports domain/ alone", &lines);
    }

    #[test]
    fn the_api_and_the_dispatcher_do_not_know_each_other() {
        assert_none("api/ does not import dispatch/", &named_inside("api", &["crate::dispatch"]));
        assert_none("dispatch/ does not import api/", &named_inside("dispatch", &["crate::api"]));
    }

    #[test]
    fn the_flow_does_not_know_the_command_line() {
        let flow = ["domain", "store", "sign", "send", "dispatch", "ingest", "record", "replay", "api"];
        let offences: Vec<String> =
            flow.iter().flat_map(|folder| named_inside(folder, &["crate::cli", "crate::server"])).collect();
        assert_none("the flow imports neither cli/ nor the server", &offences);
    }

    /// `pg_stat_statements` then reads like the code.
    #[test]
    fn every_statement_names_itself() {
        let mut offences = Vec::new();
        let mut seen = 0;
        for source in sources().into_iter().filter(|source| source.is_in(&["store"])) {
            for call in
                ["query!(", "query_as!(", "query_scalar!(", "query_unchecked!(", "query_as_unchecked!("]
            {
                for (at, _) in source.text.match_indices(call) {
                    seen += 1;
                    let rest = &source.text[at..];
                    let statement = rest.split_once('"').map_or("", |(_, statement)| statement).trim_start();
                    let name = statement.strip_prefix("-- ").and_then(|rest| rest.split_whitespace().next());
                    if !name.is_some_and(|name| name.contains("::")) {
                        let line = source.text[..at].lines().count();
                        offences.push(format!("{}:{line}", source.path));
                    }
                }
            }
        }
        assert!(seen > 20, "the statements were not found");
        assert_none("a statement begins with `-- aggregate::name`", &offences);
    }

    /// The keys of the configuration, each with its default if it has one, from the source of their table.
    fn keys() -> Vec<(String, Option<String>)> {
        let sources = sources();
        let table = &sources.iter().find(|source| source.path == "src/config/keys.rs").unwrap().text;
        let (_, table) = table.split_once("KEYS: &[Key] = &[").unwrap();
        let quoted = |text: &str| text.split('"').nth(1).unwrap().to_owned();
        let key = |text: &str| (quoted(text), text.split_once(".or(").map(|(_, default)| quoted(default)));
        table.split("Key::new(").skip(1).map(key).collect()
    }

    /// The first cell of a row of a table, and its second one.
    fn cells(line: &str) -> Option<(&str, &str)> {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        cells.next().zip(cells.next())
    }

    fn names_in(cell: &str) -> Vec<&str> {
        cell.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn every_key_stands_in_the_readme_with_its_default() {
        // Only debug builds have it.
        const FOR_TESTS: &str = "test_losses";
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
        let (_, table) = readme.split_once("| key | default | meaning |").unwrap();
        let rows: Vec<(&str, &str)> = table.lines().skip(2).map_while(cells).collect();
        let keys = keys();
        assert!(keys.len() > 40 && rows.len() > 30, "{} keys, {} rows", keys.len(), rows.len());
        let mut offences = Vec::new();
        for (key, default) in keys.iter().filter(|(key, _)| key != FOR_TESTS) {
            let Some((names, shown)) = rows.iter().find(|(names, _)| names_in(names).contains(&key.as_str()))
            else {
                offences.push(format!("{key} is not there"));
                continue;
            };
            // Several keys may share a row; then their defaults stand in the same order, where each has one.
            let (names, defaults) = (names_in(names), names_in(shown));
            let place = names.iter().position(|name| name == key).unwrap();
            let shown = if names.len() == defaults.len() { defaults.get(place) } else { defaults.first() };
            match default.as_deref().filter(|default| !default.is_empty()) {
                Some(default) if shown != Some(&default) => {
                    offences.push(format!("{key} is {default}, not {shown:?}"));
                }
                _ => {}
            }
        }
        for name in rows.iter().flat_map(|(names, _)| names_in(names)).filter(|name| *name != "DATABASE_URL")
        {
            if !keys.iter().any(|(key, _)| key == name) {
                offences.push(format!("{name} is no key"));
            }
        }
        assert_none("the README's table has every key, with its default", &offences);
    }
}
