//! Secrets in files, as container platforms mount them: `POSTRIDER_MAIN_SECRET_FILE` names the file that holds what
//! `POSTRIDER_MAIN_SECRET` would. Line ends after the secret are not part of it.

use std::collections::BTreeMap;

use super::ConfigError;

/// What is set, and the variable that set it.
pub(super) struct Found {
    pub(super) variable: String,
    pub(super) text: String,
}

/// The variable that names the file for this one.
pub(super) fn variable_of(name: &str) -> String {
    format!("{name}_FILE")
}

/// What a variable says, or the file that its twin names. An empty variable counts as unset.
pub(super) fn find(name: &str, variables: &BTreeMap<String, String>) -> Result<Option<Found>, ConfigError> {
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let file_variable = variable_of(name);
    let Some(path) = set(&file_variable) else {
        return Ok(set(name).map(|text| Found { variable: name.to_owned(), text: text.clone() }));
    };
    let refused = |reason: String| ConfigError::BadValue { origin: file_variable.clone(), reason };
    if set(name).is_some() {
        return Err(refused(format!("{name} is set as well; set one of the two")));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(format!("the file {path} cannot be read: {error}")))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(refused(format!("the file {path} is empty")));
    }
    Ok(Some(Found { text: text.to_owned(), variable: file_variable }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_secret_can_be_in_a_file_whose_last_line_ends() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("secret");
        let path_text = path.to_str().unwrap();
        for (written, expected) in [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), (" s3 \r\n", " s3 ")] {
            std::fs::write(&path, written).unwrap();
            let found = find("A", &variables(&[("A_FILE", path_text)])).unwrap().unwrap();
            assert_eq!((found.text.as_str(), found.variable.as_str()), (expected, "A_FILE"));
        }
        std::fs::write(&path, "\n").unwrap();
        let empty = find("A", &variables(&[("A_FILE", path_text)])).err().unwrap().to_string();
        assert!(empty.contains("A_FILE") && empty.contains("is empty"), "{empty}");
    }

    #[test]
    fn a_file_that_cannot_be_read_and_two_values_are_refused_by_name() {
        let gone = find("A", &variables(&[("A_FILE", "/nowhere/secret")])).err().unwrap().to_string();
        assert!(gone.contains("A_FILE") && gone.contains("/nowhere/secret cannot be read"), "{gone}");
        let both = variables(&[("A_FILE", "/nowhere/secret"), ("A", "hunter2")]);
        let both = find("A", &both).err().unwrap().to_string();
        assert!(both.contains("A is set as well") && !both.contains("hunter2"), "{both}");
        assert!(find("A", &variables(&[("A_FILE", "")])).unwrap().is_none());
    }
}
