//! What is wrong with a form that came in. The macros of `templates/ui/forms.html` show it beside
//! the fields and in a summary above them.

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormError {
    /// The field's name; empty for the form as a whole.
    pub(crate) field: &'static str,
    /// What is wrong and what to do about it.
    pub(crate) text: String,
}

/// What is wrong with a form, in the order of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FormErrors(Vec<FormError>);

impl FormErrors {
    /// None.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Adds what is wrong with a field; with the whole form, if `field` is empty.
    pub(crate) fn add(&mut self, field: &'static str, text: impl Into<String>) {
        self.0.push(FormError { field, text: text.into() });
    }

    /// One error.
    pub(crate) fn one(field: &'static str, text: impl Into<String>) -> Self {
        let mut errors = Self::none();
        errors.add(field, text);
        errors
    }

    /// The same, where the page has another name for a field.
    pub(crate) fn renamed(mut self, field: &str, name: &'static str) -> Self {
        for error in self.0.iter_mut().filter(|error| error.field == field) {
            error.field = name;
        }
        self
    }

    /// What is wrong with a field; empty if nothing is.
    pub(crate) fn of(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| &error.text)
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, FormError> {
        self.0.iter()
    }
}
