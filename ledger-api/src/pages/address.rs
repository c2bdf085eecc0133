//! Addresses of our own pages with the query that stands behind them.

/// An address with these fields, of which one has another value, in its place or else at the end.
/// Fields without a value are left out.
pub(super) fn with(path: &str, fields: &[(&'static str, &str)], name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (field, kept) in fields {
        let value = if *field == name { value } else { kept };
        if !value.is_empty() {
            query.append_pair(field, value);
        }
    }
    if !value.is_empty() && fields.iter().all(|(field, _)| *field != name) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
