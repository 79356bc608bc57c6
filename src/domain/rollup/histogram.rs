//! A histogram of latencies: 141 buckets from 1 ms to 10 min, each reaching a tenth further than the one before it, so
//! that every percentile from a millisecond on is within 10 % of the true one. Only buckets with something in them are kept, and stored as a
//! byte for the bucket and a varint (LEB128) for its count.

use std::time::Duration;

/// From one bucket's end to the next one's.
const RATIO: f64 = 1.1;
/// The last bucket ends above ten minutes; whatever took longer is in it.
const LAST: u8 = 140;

/// How often something took how long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By bucket.
    counts: Vec<(u8, u64)>,
}

/// The three percentiles that are shown, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// Half took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
}

fn bucket_of(duration: Duration) -> u8 {
    let ms = duration.as_secs_f64() * 1e3;
    if ms <= 1.0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and LAST")]
    let bucket = (ms.ln() / RATIO.ln()).ceil().clamp(0.0, f64::from(LAST)) as u8;
    bucket
}

/// Where a bucket ends, in milliseconds.
fn end_of(bucket: u8) -> f64 {
    RATIO.powi(i32::from(bucket))
}

/// Where a bucket begins, in milliseconds.
fn beginning_of(bucket: u8) -> f64 {
    bucket.checked_sub(1).map_or(0.0, end_of)
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, duration: Duration) {
        self.add_to(bucket_of(duration), 1);
    }

    fn add_to(&mut self, bucket: u8, count: u64) {
        match self.counts.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, sum)) = self.counts.get_mut(place) {
                    *sum = sum.saturating_add(count);
                }
            }
            Err(place) => self.counts.insert(place, (bucket, count)),
        }
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }

    /// So long, in milliseconds, took the share `of` at most; `None` when nothing was counted. Within a bucket they are
    /// taken to lie evenly.
    #[expect(clippy::cast_precision_loss, reason = "a share of a count need not be exact")]
    pub fn percentile(&self, of: f64) -> Option<f64> {
        let rank = of * self.total() as f64;
        let mut below = 0.0;
        for (bucket, count) in &self.counts {
            let count = *count as f64;
            if below + count >= rank {
                let (from, to) = (beginning_of(*bucket), end_of(*bucket));
                return Some(((rank - below) / count).clamp(0.0, 1.0).mul_add(to - from, from));
            }
            below += count;
        }
        None
    }

    /// The percentiles that are shown; `None` when nothing was counted.
    pub fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            p50_ms: self.percentile(0.5)?,
            p95_ms: self.percentile(0.95)?,
            p99_ms: self.percentile(0.99)?,
        })
    }

    /// As it is stored; `None` when nothing was counted.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        if self.counts.is_empty() {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.counts.len() * 3);
        for (bucket, count) in &self.counts {
            bytes.push(*bucket);
            let mut rest = *count;
            while rest >= 0x80 {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push((rest & 0x7f) as u8);
        }
        Some(bytes)
    }

    /// Adds one that was stored. What is not one is left out.
    pub fn merge_bytes(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.iter();
        while let Some(bucket) = bytes.next() {
            let (mut count, mut shift) = (0u64, 0u32);
            for byte in bytes.by_ref() {
                count |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if *bucket <= LAST && count > 0 {
                self.add_to(*bucket, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(millis: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        millis.iter().for_each(|ms| histogram.add(Duration::from_millis(*ms)));
        histogram
    }

    #[test]
    fn nothing_has_no_percentiles_and_takes_no_bytes() {
        assert_eq!((Histogram::default().percentiles(), Histogram::default().to_bytes()), (None, None));
    }

    #[test]
    fn buckets_reach_from_one_millisecond_to_ten_minutes() {
        assert_eq!([0, 1].map(|ms| bucket_of(Duration::from_millis(ms))), [0, 0]);
        assert_eq!(bucket_of(Duration::from_secs(600)), LAST);
        assert_eq!(bucket_of(Duration::from_secs(86_400)), LAST);
        assert!(end_of(LAST) >= 600_000.0 && end_of(LAST - 1) < 600_000.0);
    }

    #[test]
    fn bytes_that_are_no_histogram_are_left_out() {
        let mut histogram = of(&[5]);
        for bytes in [
            &[255, 1][..],
            &[7],
            &[7, 0x80],
            &[3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            histogram.merge_bytes(bytes);
        }
        assert!(histogram.total() >= 1);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_a_tenth(mut millis in prop::collection::vec(2u64..600_000, 1..400), of_all in 0.0f64..1.0) {
            let histogram = of(&millis);
            millis.sort_unstable();
            let rank = ((of_all * millis.len() as f64).ceil() as usize).clamp(1, millis.len());
            let truth = millis[rank - 1] as f64;
            let told = histogram.percentile(of_all).unwrap();
            prop_assert!((told - truth).abs() <= truth * 0.101, "{told} for {truth}");
        }

        #[test]
        fn what_is_stored_and_merged_is_what_was_counted(
            one in prop::collection::vec(0u64..1_000_000, 0..200), two in prop::collection::vec(0u64..1_000_000, 0..200),
        ) {
            let mut read = Histogram::default();
            for part in [&one, &two] {
                if let Some(bytes) = of(part).to_bytes() {
                    read.merge_bytes(&bytes);
                }
            }
            let mut merged = of(&one);
            merged.merge(&of(&two));
            prop_assert_eq!(&read, &merged);
            prop_assert_eq!(read.total(), (one.len() + two.len()) as u64);
        }
    }
}
