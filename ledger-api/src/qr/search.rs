//! Finding the code in a picture.
//!
//! Large pictures are made smaller first: a code fills a good part of the scene that it was
//! photographed in, and what is small is both quicker to search and less noisy. If nothing is
//! found so, a larger and then a smaller version is looked at, and at last smoothed ones: grain as
//! strong as the code itself hides its corners from the search, and a blur takes more of the grain
//! than of the code.
//!
//! A picture can be drawn so that the search has to try any number of corners that belong to no
//! code. So the pixels that it writes are counted, over all versions, and when they are used up
//! the search ends where it is: it unwinds, which no hook and no log sees, and is caught here.

use std::{
    cell::Cell,
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

use image::{
    GenericImage, GenericImageView, GrayImage, Luma,
    imageops::{fast_blur, thumbnail},
};
use rqrr::PreparedImage;

use super::QrError;

/// The longest sides that are looked at, one after the other; none larger than the picture is.
const SIDES: [u32; 3] = [1_000, 2_000, 500];
/// By how much what was not found so is smoothed, in pixels (the deviation of the blur).
const SMOOTHED: [f32; 2] = [1.0, 1.8];
/// The most pixels that the search may write, in all versions together: less than a second's work.
const WORK_MAX: u64 = 150_000_000;

/// What was found in one version of a picture.
#[derive(Default)]
struct Found {
    /// What each code says that could be read.
    said: BTreeSet<String>,
    /// How many codes there seem to be.
    codes: usize,
    /// Whether all of it was looked at.
    whole: bool,
}

/// What the one code of a picture says. The same code twice is one.
pub(super) fn the_one(picture: &GrayImage) -> Result<String, QrError> {
    let work = Rc::new(Cell::new(WORK_MAX));
    let mut said = BTreeSet::new();
    for version in versions(picture).chain(smoothed(picture)) {
        let found = look(version, &work);
        said.extend(found.said);
        // A second code that could not be read may be read in another version.
        if !found.whole || (!said.is_empty() && found.codes <= said.len()) {
            break;
        }
    }
    let mut said = said.into_iter();
    match (said.next(), said.next()) {
        (None, _) => Err(QrError::NoCode),
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(QrError::Several),
    }
}

/// A picture in the sizes that are looked at.
fn versions(picture: &GrayImage) -> impl Iterator<Item = GrayImage> {
    let longest = longest(picture);
    let mut sides: Vec<u32> = SIDES.into_iter().map(|side| side.min(longest)).collect();
    sides.dedup();
    sides.into_iter().map(move |side| sized(picture, side))
}

/// The same, smoothed: in the first of the sizes, for a blur costs more than a search.
fn smoothed(picture: &GrayImage) -> impl Iterator<Item = GrayImage> {
    SMOOTHED.into_iter().map(|by| {
        let [side, ..] = SIDES;
        fast_blur(&sized(picture, side), by)
    })
}

fn longest(picture: &GrayImage) -> u32 {
    let (width, height) = picture.dimensions();
    width.max(height).max(1)
}

/// A picture whose longest side is so long, if it is not shorter.
fn sized(picture: &GrayImage, side: u32) -> GrayImage {
    let ((width, height), longest) = (picture.dimensions(), longest(picture));
    if side >= longest {
        return picture.clone();
    }
    let scaled = |length: u32| {
        let scaled = u64::from(length).saturating_mul(u64::from(side));
        u32::try_from(scaled.div_euclid(u64::from(longest))).unwrap_or(side).max(1)
    };
    thumbnail(picture, scaled(width), scaled(height))
}

/// Looks at one version.
fn look(picture: GrayImage, work: &Rc<Cell<u64>>) -> Found {
    let canvas = Canvas { picture, work: Rc::clone(work) };
    let searched = catch_unwind(AssertUnwindSafe(|| {
        let mut found = Found { whole: true, ..Found::default() };
        let mut prepared = PreparedImage::prepare(canvas);
        for grid in prepared.detect_grids() {
            found.codes = found.codes.saturating_add(1);
            if let Ok((_, text)) = grid.decode() {
                found.said.insert(text);
            }
        }
        found
    }));
    match searched {
        Ok(found) => found,
        Err(payload) if payload.is::<UsedUp>() => Found::default(),
        Err(_) => {
            // The library gave up on it, and said so in the log: other versions may be better.
            tracing::warn!("the search for a QR code ended by a panic");
            Found { whole: true, ..Found::default() }
        }
    }
}

/// That no work is left.
struct UsedUp;

/// A picture that counts what is written into it, and into all copies of it.
struct Canvas {
    picture: GrayImage,
    work: Rc<Cell<u64>>,
}

impl Canvas {
    fn spend(&self, pixels: u64) {
        match self.work.get().checked_sub(pixels) {
            Some(left) => self.work.set(left),
            None => resume_unwind(Box::new(UsedUp)),
        }
    }
}

impl Clone for Canvas {
    fn clone(&self) -> Self {
        let (width, height) = self.picture.dimensions();
        self.spend(u64::from(width).saturating_mul(u64::from(height)));
        Self { picture: self.picture.clone(), work: Rc::clone(&self.work) }
    }
}

impl GenericImageView for Canvas {
    type Pixel = Luma<u8>;

    fn dimensions(&self) -> (u32, u32) {
        self.picture.dimensions()
    }

    fn get_pixel(&self, x: u32, y: u32) -> Luma<u8> {
        *self.picture.get_pixel(x, y)
    }
}

impl GenericImage for Canvas {
    fn get_pixel_mut(&mut self, x: u32, y: u32) -> &mut Luma<u8> {
        self.spend(1);
        self.picture.get_pixel_mut(x, y)
    }

    fn put_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
        self.spend(1);
        self.picture.put_pixel(x, y, pixel);
    }

    fn blend_pixel(&mut self, x: u32, y: u32, pixel: Luma<u8>) {
        self.put_pixel(x, y, pixel);
    }
}
