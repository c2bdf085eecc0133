//! A parameter of an append that grows while the batch is decided: an array of PostgreSQL, in the
//! binary form that goes over the wire. So nothing is left to encode when the batch's turn comes,
//! and the database does not wait for it.

use std::marker::PhantomData;

use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo},
};

/// What a column can hold.
pub(crate) trait Element {
    /// What the column owns one of, as sqlx knows it.
    type Owned: Type<Postgres>;
    /// The element's type in the catalogue, whose numbers never change.
    const OID: u32;

    /// Appends the element's binary form.
    fn write(&self, bytes: &mut Vec<u8>);
}

impl Element for str {
    type Owned = Vec<String>;
    const OID: u32 = 25;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.as_bytes());
    }
}

impl Element for [u8] {
    type Owned = Vec<Vec<u8>>;
    const OID: u32 = 17;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }
}

impl Element for i64 {
    type Owned = Vec<Self>;
    const OID: u32 = 20;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }
}

/// An array that grows. Each element stands behind its length, four bytes big-endian.
#[derive(Debug)]
pub(crate) struct Column<T: ?Sized> {
    count: usize,
    elements: Vec<u8>,
    holds: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Default for Column<T> {
    fn default() -> Self {
        Self { count: 0, elements: Vec::new(), holds: PhantomData }
    }
}

impl<T: Element + ?Sized> Column<T> {
    pub(crate) fn push(&mut self, element: &T) {
        let at = self.elements.len();
        self.elements.extend_from_slice(&[0; 4]);
        element.write(&mut self.elements);
        // Bodies are bounded far below 2 GiB; PostgreSQL would refuse a longer element.
        let length = self.elements.len().saturating_sub(at).saturating_sub(4);
        let length = i32::try_from(length).unwrap_or(i32::MAX);
        self.elements[at..][..4].copy_from_slice(&length.to_be_bytes());
        self.count = self.count.saturating_add(1);
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// How many bytes it is on the wire, with what stands before it.
    pub(crate) const fn size(&self) -> usize {
        self.elements.len().saturating_add(24)
    }
}

impl<T: ?Sized> Column<T> {
    /// The elements' binary forms.
    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.elements[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
            let element;
            (element, rest) = after.split_at_checked(length)?;
            Some(element)
        })
    }
}

impl Column<[u8]> {
    /// The elements.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        self.each()
    }
}

impl Column<str> {
    /// The elements.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        // They were texts when they came.
        self.each().map(|element| str::from_utf8(element).unwrap_or_default())
    }
}

impl Column<i64> {
    /// The elements.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.each().filter_map(|element| element.try_into().map(i64::from_be_bytes).ok())
    }
}

impl<T: Element + ?Sized> Type<Postgres> for Column<T> {
    fn type_info() -> PgTypeInfo {
        T::Owned::type_info()
    }
}

impl<T: Element + ?Sized> Encode<'_, Postgres> for &Column<T> {
    /// `array_recv` of PostgreSQL: dimensions, a flag for nulls, the element's type; then, unless
    /// the array is empty, its length, its lower bound and the elements.
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&i32::from(self.count > 0).to_be_bytes());
        buffer.extend_from_slice(&0_i32.to_be_bytes());
        buffer.extend_from_slice(&T::OID.to_be_bytes());
        if self.count > 0 {
            buffer.extend_from_slice(&i32::try_from(self.count)?.to_be_bytes());
            buffer.extend_from_slice(&1_i32.to_be_bytes());
            buffer.extend_from_slice(&self.elements);
        }
        Ok(IsNull::No)
    }

    fn size_hint(&self) -> usize {
        self.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(column: &impl for<'q> Encode<'q, Postgres>) -> Vec<u8> {
        let mut buffer = PgArgumentBuffer::default();
        assert!(matches!(column.encode_by_ref(&mut buffer).unwrap(), IsNull::No));
        buffer.to_vec()
    }

    #[test]
    fn a_column_is_sent_as_sqlx_sends_an_array() {
        let texts = ["", "wallet:a:INR", "é"];
        let mut column = Column::<str>::default();
        for text in texts {
            column.push(text);
        }
        assert_eq!(sent(&&column), sent(&&texts[..]));
        assert_eq!(column.texts().collect::<Vec<_>>(), texts);

        let bodies: [&[u8]; 3] = [b"", &[0, 255], &[7; 300]];
        let mut column = Column::<[u8]>::default();
        for body in bodies {
            column.push(body);
        }
        assert_eq!(sent(&&column), sent(&&bodies[..]));
        assert_eq!(column.bodies().collect::<Vec<_>>(), bodies);

        let numbers = [i64::MIN, 0, i64::MAX];
        let mut column = Column::<i64>::default();
        for number in numbers {
            column.push(&number);
        }
        assert_eq!(sent(&&column), sent(&&numbers[..]));
        assert_eq!(column.numbers().collect::<Vec<_>>(), numbers);
        assert_eq!(column.len(), 3);
    }
}
