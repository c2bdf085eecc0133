//! Payment requests: one scenario per rule.
