//! What the desk's pages are made of: counters on top, parts below them, and forms in the parts.
//!
//! All pages of the desk are of one kind, so one template makes them; a page says what is on it
//! and holds no markup. Rows whose first cell leads somewhere are what the keys j, k and Enter go
//! through.

use askama::Template;

use super::OpsVisitor;
use crate::pages::{
    FormErrors, Layout,
    ui::{Cell, Column, DataTable, EmptyState, Pair, Pairs, Step, Timeline},
};

/// A page of the desk.
#[derive(Template)]
#[template(path = "ops/board.html")]
pub(crate) struct Board {
    layout: Layout,
    title: String,
    lead: String,
    back: Option<(String, &'static str)>,
    errors: FormErrors,
    tabs: Vec<Tab>,
    counters: Vec<Counter>,
    parts: Vec<Part>,
    nonce: String,
}

/// A tab of a list.
pub(super) struct Tab {
    pub(super) word: String,
    pub(super) href: String,
    pub(super) current: bool,
}

/// A figure on top.
pub(super) struct Counter {
    label: String,
    value: Cell,
    note: String,
    /// `bad`, `wait` or nothing.
    tone: &'static str,
    href: String,
}

impl Counter {
    pub(super) fn new(label: impl Into<String>, value: impl Into<Cell>) -> Self {
        let (note, href) = (String::new(), String::new());
        Self { label: label.into(), value: value.into(), note, tone: "", href }
    }

    pub(super) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    pub(super) fn href(self, href: impl Into<String>) -> Self {
        Self { href: href.into(), ..self }
    }

    /// Marks it if it asks for somebody.
    pub(super) fn bad_if(self, bad: bool) -> Self {
        Self { tone: if bad { "bad" } else { self.tone }, ..self }
    }
}

/// A part of a page.
pub(super) struct Part {
    title: String,
    text: String,
    blocks: Vec<Block>,
}

enum Block {
    Table(DataTable),
    Pairs(Pairs),
    Steps(Timeline),
    Empty(EmptyState),
    Form(ActForm),
    Pick(Pick),
    /// What it is, and its text.
    Code(String, String),
    Link(String, String),
}

impl Part {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), text: String::new(), blocks: Vec::new() }
    }

    pub(super) fn text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }

    fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// A table, or an empty place that says so.
    pub(super) fn table(self, columns: &[Column], rows: Vec<Vec<Cell>>, nothing: &str) -> Self {
        if rows.is_empty() {
            return self.with(Block::Empty(EmptyState::new("check", "Nothing here", nothing)));
        }
        let caption = self.title.clone();
        self.with(Block::Table(DataTable::new(caption, columns, rows)))
    }

    pub(super) fn pairs(self, pairs: Vec<Pair>) -> Self {
        self.with(Block::Pairs(Pairs::new(pairs)))
    }

    pub(super) fn steps(self, steps: Vec<Step>) -> Self {
        self.with(Block::Steps(Timeline::new(steps)))
    }

    pub(super) fn form(self, form: ActForm) -> Self {
        self.with(Block::Form(form))
    }

    pub(super) fn pick(self, pick: Pick) -> Self {
        self.with(Block::Pick(pick))
    }

    pub(super) fn code(self, text: impl Into<String>) -> Self {
        self.code_named("Raw bytes", text)
    }

    /// Text to the letter, of a name that no other on the page has.
    pub(super) fn code_named(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.with(Block::Code(name.into(), text.into()))
    }

    pub(super) fn link(self, words: impl Into<String>, href: impl Into<String>) -> Self {
        self.with(Block::Link(words.into(), href.into()))
    }
}

/// A field of a form.
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    kind: FieldKind,
    required: bool,
    maxlength: usize,
}

enum FieldKind {
    Line(&'static str),
    Choice(Vec<(String, String)>),
    File,
}

impl Field {
    pub(super) fn line(name: &'static str, label: &'static str, maxlength: usize) -> Self {
        let (hint, value, kind) = ("", String::new(), FieldKind::Line("text"));
        Self { name, label, hint, value, kind, required: true, maxlength }
    }

    /// Why something is done.
    pub(super) fn reason() -> Self {
        Self::line("reason", "Why", crate::desk::REASON_CHARS_MAX)
            .hint("Stays for ever. No names of people.")
    }

    /// What they have seen.
    pub(super) fn evidence() -> Self {
        Self::line("evidence_sha256", "SHA-256 of the document", 64)
            .hint("64 digits of the document’s hash, in lower case.")
    }

    pub(super) fn choice(
        name: &'static str,
        label: &'static str,
        choices: Vec<(String, String)>,
    ) -> Self {
        Self { kind: FieldKind::Choice(choices), ..Self::line(name, label, 200) }
    }

    pub(super) fn file(name: &'static str, label: &'static str) -> Self {
        Self { kind: FieldKind::File, ..Self::line(name, label, 200) }
    }

    pub(super) fn search(name: &'static str, label: &'static str) -> Self {
        Self { kind: FieldKind::Line("search"), ..Self::line(name, label, 254) }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) fn value(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    pub(super) fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    fn input(&self) -> &'static str {
        match self.kind {
            FieldKind::Line(kind) => kind,
            FieldKind::Choice(_) => "",
            FieldKind::File => "file",
        }
    }

    fn choices(&self) -> &[(String, String)] {
        match &self.kind {
            FieldKind::Choice(choices) => choices,
            FieldKind::Line(_) | FieldKind::File => &[],
        }
    }
}

/// A form that does one thing.
pub(super) struct ActForm {
    action: String,
    words: String,
    title: String,
    quiet: bool,
    get: bool,
    fields: Vec<Field>,
    hidden: Vec<(&'static str, String)>,
}

impl ActForm {
    /// What it is sent to, and the words of its button.
    pub(super) fn new(action: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            words: words.into(),
            title: String::new(),
            quiet: false,
            get: false,
            fields: Vec::new(),
            hidden: Vec::new(),
        }
    }

    pub(super) fn title(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    pub(super) fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// One that only looks something up.
    pub(super) fn looks_up(self) -> Self {
        Self { get: true, ..self }
    }

    pub(super) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    pub(super) fn hidden(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.kind, FieldKind::File))
    }
}

/// A table of things to choose among, and what can be done with those that are chosen.
pub(super) struct Pick {
    pub(super) action: String,
    pub(super) caption: String,
    pub(super) columns: Vec<&'static str>,
    /// The id of each, what it is called for who does not see the row, and the cells.
    pub(super) rows: Vec<(String, String, Vec<Cell>)>,
    /// The value of `decision`, and its words.
    pub(super) buttons: Vec<(&'static str, &'static str)>,
}

impl Board {
    /// A page with this title, at this entry of the rail.
    pub(super) fn new(visitor: &OpsVisitor, title: impl Into<String>, nav: &'static str) -> Self {
        let title = title.into();
        Self {
            layout: visitor.layout(title.clone(), nav),
            title,
            lead: String::new(),
            back: None,
            errors: FormErrors::none(),
            tabs: Vec::new(),
            counters: Vec::new(),
            parts: Vec::new(),
            nonce: visitor.nonce(),
        }
    }

    pub(super) fn lead(self, lead: impl Into<String>) -> Self {
        Self { lead: lead.into(), ..self }
    }

    pub(super) fn back(self, href: impl Into<String>, words: &'static str) -> Self {
        Self { back: Some((href.into(), words)), ..self }
    }

    /// With what is wrong with the form that was sent; its fields are named by the words alone.
    pub(super) fn errors(mut self, errors: &FormErrors) -> Self {
        for error in errors.iter() {
            self.errors.add("", error.text.clone());
        }
        self
    }

    pub(super) fn tabs(self, tabs: Vec<Tab>) -> Self {
        Self { tabs, ..self }
    }

    pub(super) fn counter(mut self, counter: Counter) -> Self {
        self.counters.push(counter);
        self
    }

    pub(super) fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }
}
