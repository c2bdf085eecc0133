//! Payments: one scenario per rule, and the rounding by property.
