//! The smaller components: names and values, a sheet to confirm, an empty place, an id to copy.

use std::borrow::Cow;

use askama::{Template, filters::HtmlSafe};

use super::{Cell, MoneyView};
use crate::pages::layout::initials;

/// A name and its value.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    label: Cow<'static, str>,
    value: Cell,
    total: bool,
}

impl Pair {
    /// A name and its value.
    pub(crate) fn new(label: impl Into<Cow<'static, str>>, value: impl Into<Cell>) -> Self {
        Self { label: label.into(), value: value.into(), total: false }
    }

    /// The same, as the sum of those above.
    pub(crate) fn total(self) -> Self {
        Self { total: true, ..self }
    }
}

/// Names and values, one in each line.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/pairs.html")]
pub(crate) struct Pairs {
    pairs: Vec<Pair>,
}

impl Pairs {
    /// The lines.
    pub(crate) fn new(pairs: Vec<Pair>) -> Self {
        Self { pairs }
    }
}

impl HtmlSafe for Pairs {}

/// What stands for somebody or something in a circle: initials or an icon.
#[derive(Debug, Clone, Template)]
#[template(
    ext = "html",
    source = "{%- import \"ui/icons.html\" as icons -%}\
              <span class=\"{{ class }}\" aria-hidden=\"true\">\
              {%- if icon != \"\" -%}{%- call icons::icon(icon) -%}{%- endcall -%}\
              {%- else -%}{{ letters }}{%- endif -%}</span>"
)]
pub(crate) struct Face {
    class: &'static str,
    letters: String,
    icon: &'static str,
}

impl Face {
    /// A person, by name.
    pub(crate) fn of(name: &str) -> Self {
        Self { class: "avatar", letters: initials(name), icon: "" }
    }

    /// An icon for money that comes in.
    pub(crate) fn incoming(icon: &'static str) -> Self {
        Self { class: "face in", letters: String::new(), icon }
    }

    /// Any other icon.
    pub(crate) fn icon(icon: &'static str) -> Self {
        Self { class: "face", ..Self::incoming(icon) }
    }
}

impl HtmlSafe for Face {}

/// What is about to happen, before it does. The form around it is the page's.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/confirm.html")]
pub(crate) struct ConfirmSheet {
    /// Whom it goes to or comes from.
    pub(crate) face: Face,
    /// In a few words: "To Asha Rao".
    pub(crate) headline: String,
    /// Who says that the name is right; empty if nobody does.
    pub(crate) verified: String,
    /// How much.
    pub(crate) amount: MoneyView,
    /// Fee, arrival, what is left.
    pub(crate) pairs: Pairs,
}

impl HtmlSafe for ConfirmSheet {}

/// A place where nothing is yet: what would be there, and the one thing to do.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/empty.html")]
pub(crate) struct EmptyState {
    icon: &'static str,
    title: String,
    text: String,
    action: Option<(String, String)>,
}

impl EmptyState {
    /// What would be there.
    pub(crate) fn new(icon: &'static str, title: &str, text: impl Into<String>) -> Self {
        Self { icon, title: title.to_owned(), text: text.into(), action: None }
    }

    /// The one thing to do: its words and where it leads.
    pub(crate) fn action(self, words: impl Into<String>, href: impl Into<String>) -> Self {
        Self { action: Some((words.into(), href.into())), ..self }
    }
}

impl HtmlSafe for EmptyState {}

/// An id, with a button that copies it where a script runs.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = "{%- import \"ui/icons.html\" as icons -%}\
              <span class=\"copy-id\"><span>{{ id }}</span>\
              <button type=\"button\" data-copy=\"{{ id }}\" aria-label=\"Copy {{ id }}\" hidden>\
              {%- call icons::icon(\"copy\") -%}{%- endcall -%}</button></span>"
)]
pub(crate) struct CopyId {
    id: String,
}

impl CopyId {
    /// The id.
    pub(crate) fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl HtmlSafe for CopyId {}

/// Whether the page follows what happens. Without a script it is a link that asks again.
#[derive(Debug, Clone, Template)]
#[template(
    ext = "html",
    source = "<span class=\"live\" data-live role=\"status\" data-state=\"paused\">\
              <i aria-hidden=\"true\"></i>\
              <a href=\"{{ path }}\">Refresh</a></span>"
)]
pub(crate) struct LiveDot {
    path: String,
}

impl LiveDot {
    /// The dot of the page at this address.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }
}

impl HtmlSafe for LiveDot {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_162_what_people_wrote_is_escaped_everywhere() {
        let evil = "<script>alert(1)</script>\"' \u{202e}evil";
        let shown = [
            Pairs::new(vec![Pair::new("Note", evil)]).to_string(),
            EmptyState::new("list", evil, evil).action(evil, evil).to_string(),
            CopyId::new(evil).to_string(),
            LiveDot::new(evil).to_string(),
            Face::of(evil).to_string(),
        ];
        for html in shown {
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains("\"' "), "{html}");
        }
    }

    #[test]
    fn a_text_that_turns_the_direction_of_reading_stays_inside_itself() {
        let turned = Pairs::new(vec![Pair::new("Note", "a\u{202e}b")]).to_string();
        assert!(turned.contains("<bdi>a\u{202e}b</bdi>"), "{turned}");
    }
}
