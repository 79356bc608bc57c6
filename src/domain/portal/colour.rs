//! Colours, and how well one is seen on another (WCAG 2.2, relative luminance and contrast ratio).

use std::str::FromStr;

/// A colour of three bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// A text that is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour such as #3a4fd0, in lower case")]
pub struct InvalidColour;

impl Colour {
    /// White.
    pub const WHITE: Self = Self([0xff; 3]);
    /// The dark ground of the portal.
    pub const DARK_GROUND: Self = Self([0x15, 0x16, 0x1a]);

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast to another colour: 1 for none, 21 for black on white.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(other) / one.min(other)
    }
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(InvalidColour)?;
        if !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(InvalidColour);
        }
        let all = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = all.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().unwrap()
    }

    #[test]
    fn contrasts_are_those_of_the_standard() {
        assert!((colour("#000000").contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour::WHITE.contrast(Colour::WHITE) - 1.0).abs() < 1e-9);
        // The lightest grey that is enough for text on white, and the next one, which is not.
        assert!(colour("#767676").contrast(Colour::WHITE) >= 4.5);
        assert!(colour("#777777").contrast(Colour::WHITE) < 4.5);
        assert_eq!(colour("#15161a"), Colour::DARK_GROUND);
    }

    #[test]
    fn only_six_digits_in_lower_case_are_a_colour() {
        for wrong in ["", "#", "3a4fd0", "#3A4FD0", "#3a4fd", "#3a4fd00", "#3a4fdg", "#+a4fd0", "#3a4f\u{e9}"]
        {
            assert_eq!(wrong.parse::<Colour>(), Err(InvalidColour), "{wrong}");
        }
    }
}
