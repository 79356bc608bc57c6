//! Which trace something belongs to, as the W3C's Trace Context says it. Only what is sampled has one.

use std::fmt;

/// Bytes of its stored form.
const STORED_BYTES: usize = 24;

/// A place in a sampled trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The span in it.
    pub span_id: [u8; 8],
}

impl TraceContext {
    /// As it is stored: the trace's id, then the span's.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [self.trace_id.as_slice(), &self.span_id].concat()
    }

    /// From its stored form; `None` for anything else, so that a message is delivered whatever stands there.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; STORED_BYTES] = bytes.try_into().ok()?;
        let (trace_id, rest) = bytes.split_first_chunk()?;
        let (span_id, _) = rest.split_first_chunk()?;
        Some(Self { trace_id: *trace_id, span_id: *span_id })
    }
}

/// As the header `traceparent` has it.
impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace_id = u128::from_be_bytes(self.trace_id);
        let span_id = u64::from_be_bytes(self.span_id);
        write!(formatter, "00-{trace_id:032x}-{span_id:016x}-01")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_and_shown_as_it_is() {
        let context = TraceContext { trace_id: [1; 16], span_id: [2; 8] };
        assert_eq!(TraceContext::from_bytes(&context.to_bytes()), Some(context));
        assert_eq!(TraceContext::from_bytes(&[0; 23]), None);
        let header = "00-01010101010101010101010101010101-0202020202020202-01";
        assert_eq!(context.to_string(), header);
    }
}
