//! Logos: small images of kinds that carry no script, told by their first bytes and never by what somebody says of them.

/// No logo is larger.
pub const MAX_LOGO_BYTES: usize = 64 << 10;

/// What kind of image it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    WebP,
}

impl LogoKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::WebP];

    /// The kind of these bytes; `None` for every other, such as SVG.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::WebP)
        } else {
            None
        }
    }

    /// As stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::WebP => "webp",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its `content-type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_told_by_its_first_bytes() {
        assert_eq!(LogoKind::of(b"\x89PNG\r\n\x1a\n\0\0"), Some(LogoKind::Png));
        assert_eq!(LogoKind::of(b"\xff\xd8\xff\xe0"), Some(LogoKind::Jpeg));
        assert_eq!(LogoKind::of(b"RIFF\x10\0\0\0WEBPVP8 "), Some(LogoKind::WebP));
        for other in [&b""[..], b"<svg xmlns", b"GIF89a", b"RIFF\x10\0\0\0WAVE", b"<?xml"] {
            assert_eq!(LogoKind::of(other), None);
        }
        for kind in LogoKind::ALL {
            assert_eq!(LogoKind::from_name(kind.name()), Some(kind));
        }
    }
}
