//! The texts that may have been signed: the right one, `{id}.{timestamp}.{payload}`, and what is signed by mistake.

use std::borrow::Cow;

use crate::sign::reprinted::reprinted;

use super::{Computed, Verdict};

/// A text in pieces, so that the payload is not copied for each.
pub(super) struct Text<'a> {
    /// What is wrong with it.
    pub(super) verdict: Option<Verdict>,
    pieces: Vec<Cow<'a, [u8]>>,
}

impl Text<'_> {
    pub(super) fn pieces(&self) -> Vec<&[u8]> {
        self.pieces.iter().map(AsRef::as_ref).collect()
    }
}

fn owned<'a>(text: impl Into<Vec<u8>>) -> Cow<'a, [u8]> {
    Cow::Owned(text.into())
}

/// `{id}.{timestamp}.{payload}` of these parts.
fn text<'a>(verdict: Option<Verdict>, id: &str, timestamp: i64, payload: Cow<'a, [u8]>) -> Text<'a> {
    Text { verdict, pieces: vec![owned(format!("{id}.{timestamp}.")), payload] }
}

/// The right one.
pub(super) fn right<'a>(computed: &Computed<'a>) -> Text<'a> {
    text(None, computed.id, computed.timestamp, Cow::Borrowed(computed.payload))
}

/// With another timestamp.
pub(super) fn at<'a>(computed: &Computed<'a>, timestamp: i64) -> Text<'a> {
    text(Some(Verdict::OtherTimestamp), computed.id, timestamp, Cow::Borrowed(computed.payload))
}

/// What is signed by mistake.
pub(super) fn mistaken<'a>(computed: &Computed<'a>) -> Vec<Text<'a>> {
    let mut texts = of_other_parts(computed);
    texts.extend(
        of_other_payloads(computed.payload).into_iter().map(|(verdict, payload)| {
            text(Some(verdict), computed.id, computed.timestamp, Cow::Owned(payload))
        }),
    );
    texts
}

fn of_other_parts<'a>(computed: &Computed<'a>) -> Vec<Text<'a>> {
    let Computed { id, timestamp, payload, endpoint, .. } = *computed;
    let body = || Cow::Borrowed(payload);
    let joined = |verdict, pieces: Vec<Cow<'a, [u8]>>| Text { verdict: Some(verdict), pieces };
    let mut texts = vec![
        joined(Verdict::OnlyBody, vec![body()]),
        joined(Verdict::MissingId, vec![owned(format!("{timestamp}.")), body()]),
        joined(Verdict::MissingTimestamp, vec![owned(format!("{id}.")), body()]),
        joined(Verdict::MissingDots, vec![owned(format!("{id}{timestamp}")), body()]),
        joined(Verdict::WrongOrder, vec![owned(format!("{timestamp}.{id}.")), body()]),
        joined(Verdict::WrongOrder, vec![body(), owned(format!(".{id}.{timestamp}"))]),
        joined(Verdict::WrongOrder, vec![body(), owned(format!(".{timestamp}.{id}"))]),
        joined(Verdict::WrongOrder, vec![owned(format!("{id}.")), body(), owned(format!(".{timestamp}"))]),
        joined(Verdict::WrongOrder, vec![owned(format!("{timestamp}.")), body(), owned(format!(".{id}"))]),
        text(Some(Verdict::TimestampInMs), id, timestamp.saturating_mul(1000), body()),
    ];
    let bare = id.split_once('_').map(|(_, bare)| bare).filter(|bare| !bare.is_empty());
    let others = [Some(endpoint), bare].into_iter().flatten().filter(|other| *other != id);
    texts.extend(others.map(|other| text(Some(Verdict::OtherId), other, timestamp, body())));
    texts
}

fn of_other_payloads(payload: &[u8]) -> Vec<(Verdict, Vec<u8>)> {
    let mut found = vec![
        (Verdict::BodyWithNewline, [payload, b"\n"].concat()),
        (Verdict::BodyWithNewline, [payload, b"\r\n"].concat()),
    ];
    let trimmed = payload.trim_ascii();
    if trimmed.len() < payload.len() {
        found.push((Verdict::ReserializedBody, trimmed.to_vec()));
    }
    if !payload.is_ascii() {
        let anew: String = payload.iter().copied().map(char::from).collect();
        found.push((Verdict::BodyEncodedAnew, anew.into_bytes()));
    }
    found.extend(reprinted(payload).into_iter().map(|text| (Verdict::ReserializedBody, text.into_bytes())));
    found
}
