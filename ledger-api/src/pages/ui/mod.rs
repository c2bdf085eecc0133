//! The components that pages are made of: values that write themselves as HTML.
