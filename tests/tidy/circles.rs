//! Imports go one way. Among the modules of a folder, none leads back to itself over others: what a module imports
//! counts for every folder that it stands in.
//!
//! A folder's own `mod.rs` and what stands in the folder may know each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::{Module, imports};
use crate::sources::assert_none;

/// For each module, those beside it that it imports, and where.
type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// The graph of each folder.
fn graphs() -> BTreeMap<Module, Graph> {
    let mut graphs: BTreeMap<Module, Graph> = BTreeMap::new();
    for import in imports() {
        let shared = import.from.iter().zip(&import.to).take_while(|(from, to)| from == to).count();
        if let (Some(from), Some(to)) = (import.from.get(shared), import.to.get(shared)) {
            let graph = graphs.entry(import.from[..shared].to_vec()).or_default();
            graph.entry(from.clone()).or_default().entry(to.clone()).or_insert(import.place);
        }
    }
    graphs
}

/// The shortest way from a module back to itself.
fn circle(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.to_owned()]];
    let mut met = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| graph.get(last)).into_iter().flat_map(BTreeMap::keys) {
                let mut on = way.clone();
                on.push(next.clone());
                if next == start {
                    return Some(on);
                }
                if met.insert(next.clone()) {
                    longer.push(on);
                }
            }
        }
        ways = longer;
    }
    None
}

/// Each circle once, by its first module, with what makes it one.
fn circles(folder: &Module, graph: &Graph) -> Vec<String> {
    let found = graph.keys().filter_map(|start| circle(graph, start));
    let first = found.filter(|way| way.iter().min() == way.first());
    first
        .map(|way| {
            let steps = way.windows(2).map(|step| format!("\n    {}", graph[&step[0]][&step[1]]));
            format!("src/{}: {}{}", folder.join("/"), way.join(" → "), steps.collect::<String>())
        })
        .collect()
}

#[test]
fn imports_make_no_circle() {
    let graphs = graphs();
    assert!(graphs.len() > 10, "the folders were not found");
    let offences: Vec<String> = graphs.iter().flat_map(|(folder, graph)| circles(folder, graph)).collect();
    assert_none("modules do not import each other in a circle", &offences);
}

#[test]
fn a_circle_would_be_seen() {
    let names = |name: &str| BTreeMap::from([(name.to_owned(), "somewhere".to_owned())]);
    let mut graph = Graph::from([("a".to_owned(), names("b")), ("b".to_owned(), names("c"))]);
    assert_eq!(circles(&vec![], &graph), Vec::<String>::new());
    graph.insert("c".to_owned(), names("a"));
    assert_eq!(circles(&vec![], &graph).len(), 1);
}
