//! What an import does about alert rules and the channels that alerts are sent over.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::cli::configuration::environment::{AlertChannel, AlertRule, Named, is_same};
use crate::domain::settings::Fields;

use super::difference::{self, Difference};
use super::{Action, Call, Planner, matching, texts};

impl Planner {
    pub(super) fn alert_rules(&mut self, wanted: &[AlertRule], there: &[AlertRule]) -> anyhow::Result<()> {
        let matched = matching::matched(wanted, there)?;
        for (rule, found) in wanted.iter().zip(&matched) {
            let found = found.and_then(|place| there.get(place));
            let differences = differing(rule, found);
            self.alert(("alert rule", "alert-rule"), (rule, found), differences, rule.fields.clone())?;
        }
        self.unwanted_alerts(("alert rule", "alert-rule"), there, &matched)
    }

    pub(super) fn alert_channels(
        &mut self,
        wanted: &[AlertChannel],
        there: &[AlertChannel],
    ) -> anyhow::Result<()> {
        let matched = matching::matched(wanted, there)?;
        for (channel, found) in wanted.iter().zip(&matched) {
            let found = found.and_then(|place| there.get(place));
            let target = channel.target.as_ref().filter(|_| !self.extent.without_secrets);
            if found.is_none() && target.is_none() && channel.text("kind") != Some("operational") {
                self.plan.notes.push(format!(
                    "alert channel {} is left out: the file does not have its target",
                    channel.name()
                ));
                continue;
            }
            let known = found.and_then(|found| found.target.as_ref());
            let other = target.filter(|target| known.is_none_or(|known| !is_same(target, known)));
            let mut differences = differing(channel, found);
            let told = if found.is_some() { "target differs" } else { "with its target" };
            differences.extend(other.map(|_| Difference::Hidden(told.to_owned())));
            let mut body = channel.fields.clone();
            body.extend(target.map(|target| ("target".to_owned(), target.expose_secret().into())));
            self.alert(("alert channel", "alert-channel"), (channel, found), differences, body)?;
        }
        self.unwanted_alerts(("alert channel", "alert-channel"), there, &matched)
    }

    /// Plans to make one what it is wanted to be; `body` is all of it.
    fn alert<T: Named>(
        &mut self,
        (noun, list): (&str, &str),
        (wanted, there): (&T, Option<&T>),
        differences: Vec<Difference>,
        body: Fields,
    ) -> anyhow::Result<()> {
        let (object, body) = (format!("{noun} {}", wanted.name()), Value::Object(body));
        match there {
            None => {
                self.step(Action::Create, object, differences, vec![Call::post(texts(&[list]), body)]);
            }
            Some(there) if !differences.is_empty() => {
                let call = Call::put(texts(&[list, there.known_id()?]), body);
                self.step(Action::Change, object, differences, vec![call]);
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn unwanted_alerts<T: Named>(
        &mut self,
        (noun, list): (&str, &str),
        there: &[T],
        matched: &[Option<usize>],
    ) -> anyhow::Result<()> {
        let unwanted = there.iter().enumerate().filter(|(place, _)| !matched.contains(&Some(*place)));
        for (_, one) in unwanted {
            let path = texts(&[list, one.known_id()?]);
            self.unwanted(format!("{noun} {}", one.name()), Call::delete(path));
        }
        Ok(())
    }
}

fn differing<T: Named>(wanted: &T, there: Option<&T>) -> Vec<Difference> {
    let none = Fields::new();
    difference::of_fields(wanted.fields(), there.map_or(&none, |there| there.fields()))
}
