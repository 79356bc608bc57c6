//! Metrics as Prometheus reads them.

use std::collections::BTreeMap;

use crate::support::api::client;

/// What was read at one time.
pub struct Scrape {
    /// The kind of each metric, by its name.
    pub kinds: BTreeMap<String, String>,
    /// What each series says, by its name and its labels in order.
    series: BTreeMap<(String, BTreeMap<String, String>), f64>,
}

impl Scrape {
    /// Reads what is at that address now.
    pub async fn of(address: &str) -> Self {
        let answer = client().get(format!("http://{address}/metrics")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
        Self::parse(&answer.text().await.unwrap())
    }

    fn parse(text: &str) -> Self {
        let mut scrape = Self { kinds: BTreeMap::new(), series: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# HELP")) {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(
                    scrape.kinds.insert(name.to_owned(), kind.to_owned()).is_none(),
                    "{name} comes twice"
                );
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.strip_suffix('}').unwrap();
            let labels = labels.split("\",").filter(|label| !label.is_empty()).map(|label| {
                let (name, value) = label.split_once("=\"").unwrap();
                (name.to_owned(), value.trim_end_matches('"').to_owned())
            });
            let key = (name.to_owned(), labels.collect());
            assert!(scrape.series.insert(key, value.parse().unwrap()).is_none(), "{line} comes twice");
        }
        scrape
    }

    /// The sum of all series of that name which have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |of: &BTreeMap<String, String>| {
            labels.iter().all(|(label, value)| of.get(*label).is_some_and(|has| has == value))
        };
        self.series.iter().filter(|((of, has), _)| of == name && fits(has)).map(|(_, value)| value).sum()
    }

    /// What each series of that name says, by the values of these labels; those that say 0 are left out.
    pub fn by(&self, name: &str, labels: &[&str]) -> BTreeMap<Vec<String>, i64> {
        let mut found = BTreeMap::new();
        for ((_, has), value) in self.series.iter().filter(|((of, _), value)| of == name && **value != 0.0) {
            let values = labels.iter().map(|label| has[*label].clone()).collect();
            *found.entry(values).or_insert(0) += *value as i64;
        }
        found
    }
}
