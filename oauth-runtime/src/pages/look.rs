//! The look that an author chooses, and the stylesheet made from it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

const FIXED_CSS: &str = include_str!("../../templates/pages.css");

/// What WCAG 2.2 asks of text against its background (1.4.3).
const LEGIBLE: f64 = 4.5;

/// The grounds for the accent as text, border or focus ring: the page and the card, as in pages.css.
const LIGHT_GROUND: [Colour; 2] = [Colour { red: 0xf3, green: 0xf4, blue: 0xf6 }, Colour::WHITE];
const DARK_GROUND: [Colour; 2] =
    [Colour { red: 0x0f, green: 0x11, blue: 0x15 }, Colour { red: 0x18, green: 0x1b, blue: 0x21 }];

/// The author's choices for the built-in pages.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// The colour of the button and, made lighter or darker as needed, of the focus ring.
    pub(crate) accent: Colour,
    /// The image beside the service's name.
    pub(crate) logo: Option<Logo>,
}

impl Default for Look {
    fn default() -> Self {
        Look { accent: Colour { red: 0x2b, green: 0x59, blue: 0xc3 }, logo: None }
    }
}

/// The whole stylesheet of the built-in pages.
pub(crate) fn stylesheet(look: &Look) -> String {
    let accent = look.accent;
    let text = accent.text_on();
    let hover = accent.mixed(if text == Colour::WHITE { Colour::BLACK } else { Colour::WHITE }, 0.12);
    let in_light = accent.legible_on(&LIGHT_GROUND, Colour::BLACK);
    let in_dark = accent.legible_on(&DARK_GROUND, Colour::WHITE);
    format!(
        ":root{{--accent:{accent};--accent-hover:{hover};--on-accent:{text};--accent-line:{in_light}}}\n\
         @media (prefers-color-scheme:dark){{:root{{--accent-line:{in_dark}}}}}\n\
         {FIXED_CSS}"
    )
}

/// An image that the sign-in page shows beside the service's name.
///
/// It is drawn 32 CSS pixels high, on a light card by day and a dark one by night: an SVG can adapt with `@media
/// (prefers-color-scheme: dark)`, a PNG should be legible on both.
///
/// ```
/// use oauth_runtime::Logo;
///
/// let logo = Logo::svg(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>"#);
/// # let _ = logo;
/// # /*
/// let logo = Logo::png(include_bytes!("logo.png")); // a file beside the source, in the program
/// let logo = Logo::png(std::fs::read("logo.png")?); // or one that is read at start-up
/// # */
/// ```
#[derive(Clone)]
pub struct Logo {
    pub(crate) bytes: Cow<'static, [u8]>,
    pub(crate) media_type: &'static str,
}

impl Logo {
    /// A logo in SVG: its text, or the bytes of a file.
    pub fn svg(image: impl Into<LogoBytes>) -> Self {
        Logo { bytes: image.into().0, media_type: "image/svg+xml" }
    }

    /// A logo in PNG; twice 32 pixels high or more, so that it is sharp on a dense screen.
    pub fn png(image: impl Into<LogoBytes>) -> Self {
        Logo { bytes: image.into().0, media_type: "image/png" }
    }
}

/// The bytes of a [`Logo`]: made of text, of bytes, or of what `include_str!` and `include_bytes!` give.
#[derive(Clone)]
pub struct LogoBytes(Cow<'static, [u8]>);

impl From<&'static str> for LogoBytes {
    fn from(text: &'static str) -> Self {
        LogoBytes(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<String> for LogoBytes {
    fn from(text: String) -> Self {
        LogoBytes(Cow::Owned(text.into_bytes()))
    }
}

impl From<&'static [u8]> for LogoBytes {
    fn from(bytes: &'static [u8]) -> Self {
        LogoBytes(Cow::Borrowed(bytes))
    }
}

impl<const LENGTH: usize> From<&'static [u8; LENGTH]> for LogoBytes {
    fn from(bytes: &'static [u8; LENGTH]) -> Self {
        LogoBytes(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for LogoBytes {
    fn from(bytes: Vec<u8>) -> Self {
        LogoBytes(Cow::Owned(bytes))
    }
}

impl From<Cow<'static, [u8]>> for LogoBytes {
    fn from(bytes: Cow<'static, [u8]>) -> Self {
        LogoBytes(bytes)
    }
}

impl fmt::Debug for LogoBytes {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.debug_tuple("LogoBytes").field(&self.0.len()).finish()
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.debug_struct("Logo").field("media_type", &self.media_type).field("bytes", &self.bytes.len()).finish()
    }
}

/// An opaque sRGB colour, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// A colour that is not written `#rrggbb`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the colour {given:?} is not written #rrggbb, as in #2b59c3")]
pub struct InvalidColour {
    given: String,
}

crate::model::debug_as_text!(InvalidColour);

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(given: &str) -> Result<Self, InvalidColour> {
        let parse = || {
            let digits = given.strip_prefix('#')?;
            // `from_str_radix` alone would take a sign.
            if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
            Some(Colour { red, green, blue })
        };
        parse().ok_or_else(|| InvalidColour { given: given.to_owned() })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Colour {
    const BLACK: Colour = Colour { red: 0, green: 0, blue: 0 };
    const WHITE: Colour = Colour { red: 255, green: 255, blue: 255 };

    /// Black or white, whichever reads better on this colour. The better one always has a contrast of at least √21,
    /// about 4.58, since the two contrasts multiply to 21.
    fn text_on(self) -> Colour {
        if self.contrast(Colour::WHITE) >= self.contrast(Colour::BLACK) { Colour::WHITE } else { Colour::BLACK }
    }

    /// This colour, moved towards `end` only as far as needed to be legible on each ground.
    fn legible_on(self, grounds: &[Colour], end: Colour) -> Colour {
        (0..=100_u8)
            .map(|step| self.mixed(end, f64::from(step) / 100.0))
            .find(|mixed| grounds.iter().all(|ground| mixed.contrast(*ground) >= LEGIBLE))
            .unwrap_or(end)
    }

    /// This colour with the given share of another in it.
    fn mixed(self, other: Colour, share: f64) -> Colour {
        // A value between two bytes, rounded, is a byte.
        let channel = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
        Colour {
            red: channel(self.red, other.red),
            green: channel(self.green, other.green),
            blue: channel(self.blue, other.blue),
        }
    }

    /// The contrast ratio of WCAG 2: 1 for equal colours, 21 for black and white.
    fn contrast(self, other: Colour) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The relative luminance of WCAG 2, from 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a custom property at its n-th occurrence.
    fn property(css: &str, name: &str, nth: usize) -> Colour {
        let (at, found) = css.match_indices(&format!("{name}:")).nth(nth).expect("the stylesheet sets this property");
        css[at + found.len()..].trim_start()[..7].parse().expect("it is a colour")
    }

    /// 17 steps of each channel, both ends included.
    fn many_colours() -> impl Iterator<Item = Colour> {
        let steps = || (0..=255_u8).step_by(15).chain([255]);
        steps().flat_map(move |red| steps().flat_map(move |green| steps().map(move |blue| Colour { red, green, blue })))
    }

    #[test]
    fn a_colour_is_six_digits_and_nothing_else() {
        assert_eq!("#2B59c3".parse(), Ok(Colour { red: 0x2b, green: 0x59, blue: 0xc3 }));
        for bad in ["", "#", "2b59c3", "#2b59c", "#2b59c33", "#+b59c3", "#2b59cg", "#ééé", "teal", "#fff;}"] {
            let error = bad.parse::<Colour>().expect_err("no colour");
            assert_eq!(error.to_string(), format!("the colour {bad:?} is not written #rrggbb, as in #2b59c3"));
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour::WHITE.contrast(Colour::WHITE) - 1.0).abs() < 1e-9);
        let grey: Colour = "#767676".parse().expect("a colour");
        assert!((grey.contrast(Colour::WHITE) - 4.54).abs() < 0.01, "the lightest grey that passes on white");
    }

    #[test]
    fn any_accent_is_legible_by_day_and_by_night() {
        for accent in many_colours() {
            let css = stylesheet(&Look { accent, logo: None });
            let text = property(&css, "--on-accent", 0);
            assert_eq!(property(&css, "--accent", 0), accent, "the button is the colour the author chose");
            assert!(accent.contrast(text) >= LEGIBLE, "text on {accent}");
            assert!(
                property(&css, "--accent-hover", 0).contrast(text) >= LEGIBLE,
                "text on {accent} under the pointer"
            );
            for (nth, grounds) in [LIGHT_GROUND, DARK_GROUND].iter().enumerate() {
                let line = property(&css, "--accent-line", nth);
                for ground in grounds {
                    assert!(line.contrast(*ground) >= LEGIBLE, "{line} for {accent} on {ground}");
                }
            }
        }
    }

    #[test]
    fn an_accent_that_is_legible_already_stays_as_it_is() {
        let accent = Look::default().accent;
        assert_eq!(accent.legible_on(&LIGHT_GROUND, Colour::BLACK), accent);
    }

    #[test]
    fn the_fixed_colours_are_legible_by_day_and_by_night() {
        for (nth, [page, card]) in [LIGHT_GROUND, DARK_GROUND].into_iter().enumerate() {
            let fixed = |name| property(FIXED_CSS, name, nth);
            assert_eq!((fixed("--page"), fixed("--card")), (page, card), "pages.css and look.rs agree");
            let pairs = [
                ("--text", "--card", LEGIBLE),
                ("--text", "--page", LEGIBLE),
                ("--text", "--field", LEGIBLE),
                ("--muted", "--card", LEGIBLE),
                ("--danger", "--danger-card", LEGIBLE),
                // This only outlines a field (WCAG 1.4.11).
                ("--line", "--card", 3.0),
                ("--line", "--field", 3.0),
                ("--danger", "--card", 3.0),
            ];
            for (front, back, least) in pairs {
                let contrast = fixed(front).contrast(fixed(back));
                assert!(contrast >= least, "{front} on {back}: {contrast:.2}");
            }
        }
    }
}
