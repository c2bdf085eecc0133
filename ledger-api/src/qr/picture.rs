//! From the bytes of a picture to its brightness, pixel by pixel.

use std::io::Cursor;

use image::{
    DynamicImage, GrayImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits, Luma,
};

use super::QrError;

/// The most pixels of a picture.
const PIXELS_MAX: u64 = 20_000_000;
/// The longest side.
const SIDE_MAX: u32 = 16_384;
/// The most bytes that unpacking may take: all pixels in four channels.
const UNPACKED_MAX: u64 = 4 * PIXELS_MAX;

/// A picture in shades of grey; what is transparent is white, as on the paper that it is meant for.
/// How large it is is known before anything is unpacked, and so is what it would take.
pub(super) fn grey(bytes: &[u8]) -> Result<GrayImage, QrError> {
    let format = image::guess_format(bytes).map_err(|_| QrError::NotAPicture)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
        return Err(QrError::NotAPicture);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(UNPACKED_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| why(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if pixels > PIXELS_MAX || decoder.total_bytes() > UNPACKED_MAX {
        return Err(QrError::TooManyPixels);
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| why(&error))?;
    Ok(if picture.color().has_alpha() { on_white(picture) } else { picture.into_luma8() })
}

fn on_white(picture: DynamicImage) -> GrayImage {
    let picture = picture.into_luma_alpha8();
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [grey, alpha] = picture.get_pixel(x, y).0;
        let (grey, alpha) = (u32::from(grey), u32::from(alpha));
        let shown = grey.saturating_mul(alpha).saturating_add(255 * 255_u32.saturating_sub(alpha));
        Luma([u8::try_from(shown.div_euclid(255)).unwrap_or(u8::MAX)])
    })
}

fn why(error: &ImageError) -> QrError {
    match error {
        ImageError::Limits(_) => QrError::TooManyPixels,
        ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Unsupported(_)
        | ImageError::IoError(_) => QrError::Damaged,
    }
}
