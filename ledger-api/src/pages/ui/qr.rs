//! A QR code with what it says beneath. Always dark on white: readers need that in dark mode too.

use askama::{Template, filters::HtmlSafe};
use qrcode::{EcLevel, QrCode, render::svg};

/// A QR code.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/qr.html")]
pub(crate) struct QrCard {
    drawing: String,
    title: String,
    text: String,
}

impl QrCard {
    /// The code of `content`; nothing if it is too long for one.
    pub(crate) fn new(
        content: &str,
        title: impl Into<String>,
        text: impl Into<String>,
    ) -> Option<Self> {
        let code = QrCode::with_error_correction_level(content, EcLevel::M).ok()?;
        let drawing = code
            .render::<svg::Color<'_>>()
            .quiet_zone(true)
            .dark_color(svg::Color("#111827"))
            .light_color(svg::Color("#ffffff"))
            .build();
        // The drawing stands inside a page: without the heading of a file.
        let drawing = drawing.split_once("?>").map_or(drawing.as_str(), |(_, svg)| svg);
        // Its words are those of the figure around it.
        let drawing = drawing.replacen("<svg", "<svg aria-hidden=\"true\"", 1);
        Some(Self { drawing, title: title.into(), text: text.into() })
    }
}

impl HtmlSafe for QrCard {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_drawing_with_words_and_never_markup_of_its_content() {
        let card = QrCard::new("<script>", "<b>", "@asha").unwrap().to_string();
        assert!(card.contains("<svg aria-hidden=\"true\"") && card.contains("@asha"));
        assert!(!card.contains("<script") && !card.contains("<b>") && !card.contains("<?xml"));
        assert!(!card.contains("style="), "the policy forbids it");
        assert!(QrCard::new(&"x".repeat(4_000), "", "").is_none());
    }
}
