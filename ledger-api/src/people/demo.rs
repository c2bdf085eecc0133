//! The people of the demonstration.

/// Handles and names.
pub const DEMO_PEOPLE: [(&str, &str); 12] = [
    ("asha", "Asha Rao"),
    ("ravi", "Ravi Kumar"),
    ("meera", "Meera Nair"),
    ("arjun", "Arjun Singh"),
    ("fatima", "Fatima Sheikh"),
    ("vikram", "Vikram Patel"),
    ("ananya", "Ananya Das"),
    ("joseph", "Joseph Fernandes"),
    ("lakshmi", "Lakshmi Iyer"),
    ("imran", "Imran Khan"),
    ("gurpreet", "Gurpreet Kaur"),
    ("neha", "Neha Gupta"),
];

/// What all of them log in with.
pub const DEMO_PASSWORD: &str = "only for the demo";
