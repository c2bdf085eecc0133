//! Pictures of QR codes, as tests show them.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, imageops};
use qrcode::{Color, QrCode};

/// The picture of a code, six pixels a module, on white.
pub(crate) fn drawn(text: &str) -> GrayImage {
    let code = QrCode::new(text).unwrap();
    let modules = u32::try_from(code.width()).unwrap();
    let side = (modules + 8) * 6;
    GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = ((x / 6).wrapping_sub(4), (y / 6).wrapping_sub(4));
        let at = |n| usize::try_from(n).unwrap();
        let dark = x < modules && y < modules && code[(at(x), at(y))] == Color::Dark;
        Luma([if dark { 20 } else { 245 }])
    })
}

/// A picture as a file.
pub(crate) fn file(picture: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The PNG of a code.
pub(crate) fn png(text: &str) -> Vec<u8> {
    file(drawn(text), ImageFormat::Png)
}

/// A photograph of a code: turned, on a larger table, and as JPEG.
pub(crate) fn jpeg(text: &str) -> Vec<u8> {
    let code = imageops::rotate90(&drawn(text));
    let mut table = GrayImage::from_pixel(1_800, 1_200, Luma([150]));
    imageops::overlay(&mut table, &code, 700, 400);
    file(table, ImageFormat::Jpeg)
}

/// Two codes that say different things, side by side.
pub(crate) fn two() -> Vec<u8> {
    let mut table = GrayImage::from_pixel(900, 500, Luma([245]));
    imageops::overlay(&mut table, &drawn("bahi:pay?to=@asha"), 40, 40);
    imageops::overlay(&mut table, &drawn("bahi:pay?to=@ravi"), 480, 40);
    file(table, ImageFormat::Png)
}
