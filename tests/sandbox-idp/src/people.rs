//! Who can log in here.

/// Somebody with an account at both providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that people choose, and may change.
    pub login: String,
    /// What the provider's own tables know the person by: never changes, is never used again.
    pub number: u64,
    /// The full name.
    pub name: String,
    /// The e-mail address, which may change and may be somebody else's later.
    pub email: String,
    /// Whether the person has shown that mail to it arrives.
    pub email_verified: bool,
}

impl Person {
    /// The number as OpenID Connect has it.
    pub fn subject(&self) -> String {
        format!("1000000000{:011}", self.number)
    }
}

/// The people of a fresh start.
pub(crate) fn usual() -> Vec<Person> {
    let person = |login: &str, number, name: &str, email_verified| Person {
        login: login.to_owned(),
        number,
        name: name.to_owned(),
        email: format!("{login}@mail.example"),
        email_verified,
    };
    vec![
        person("asha", 4101, "Asha Rao", true),
        person("ravi", 4102, "Ravi Iyer", true),
        person("meera", 4103, "Meera Das", true),
        person("kabir", 4104, "Kabir Khan", true),
        person("zoya", 4105, "Zoya Ali", false),
    ]
}
